"""What a page can point at: stock rules and their tests, the program's tests, pages, demo steps."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mdit_py_plugins.anchors.index import slugify

from dsl.nodes_of_tests import Test
from dsl.parser import parse
from dsl.source import Source, Span
from dsl.syntax import (
    Activities,
    ActivityLine,
    Conflict,
    FieldLine,
    Fields,
    Guard,
    Limit,
    Limits,
    Match,
    Module,
    Otherwise,
    Sync,
    Toggle,
    Use,
    ValueMap,
    ValuePair,
)
from engine.cli.stories import STORIES
from engine.kinds import KINDS
from engine.shipped import RULES

__all__ = ["Places"]

_HEADING = re.compile(r"^#{1,3} (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

_NAMED = (Activities, Fields, Guard, Limits, Sync, ValueMap)
_STATEMENTS = (
    *_NAMED,
    ActivityLine,
    Conflict,
    FieldLine,
    Limit,
    Match,
    Otherwise,
    Toggle,
    Use,
    ValuePair,
)

#: A rule file and a line of it, counted from 1.
Place = tuple[str, int]


class Places:
    """Looks names up, in the checkout that `root` is.

    `made` are pages that the build is about to write: their texts by their place below `docs/`.
    """

    def __init__(
        self, root: Path, rules: Path = RULES, made: Mapping[str, str] | None = None
    ) -> None:
        self._root, self._rules, self._made = root, rules, made or {}

    # -- rules ----------------------------------------------------------------------------------

    def rule(self, name: str) -> list[Place]:
        """Where the statement of `FILE: STATEMENT` stands; none if it does not.

        A block is named by what stands before its brace, as `sync Lead <-> prospect`.
        """
        file, _, text = name.partition(": ")
        return [(file, node.span.first.line) for node in self._statements.get((file, text), ())]

    def test(self, name: str) -> int | None:
        """The line of the test of `FILE: NAME`, of a rule file or in Python; None if there is none.

        A Python file is named by its place below `tests/`, a test of it in words.
        """
        file, _, title = name.partition(": ")
        if file.endswith(".sync"):
            return self._tests_of_rules.get((file, title))
        return self._tests_of(file).get(title)

    def to_be_named(self) -> dict[str, list[Place]]:
        """What a page on all rules has to name, each with the places of which one has to be named.

        Every file, sync, map and group of the stock rules, and every kind of activity there is.
        """
        found: dict[str, list[Place]] = {f"the kind `{kind}`": [] for kind in KINDS}
        for file in self.files:
            found[f"the file {file}"] = []
        for (file, text), nodes in self._statements.items():
            places = [(file, node.span.first.line) for node in nodes]
            found[f"the file {file}"] += places
            if isinstance(nodes[0], ActivityLine):
                found[f"the kind `{nodes[0].kind}`"] += places
            elif isinstance(nodes[0], _NAMED):
                found[f"`{text}` of {file}"] = places
        return found

    @cached_property
    def files(self) -> dict[str, Source]:
        """The stock rule files by name."""
        return {
            path.name: Source(path.name, path.read_text(encoding="utf-8"))
            for path in sorted(self._rules.glob("*.sync"))
        }

    @cached_property
    def _modules(self) -> dict[str, Module]:
        return {name: parse(source)[0] for name, source in self.files.items()}

    @cached_property
    def _statements(self) -> dict[tuple[str, str], list[Any]]:
        """The statements of all files by file and text, a block's without what is in it."""
        found: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for file, module in self._modules.items():
            for node in _statements(module.items):
                text = " ".join(node.span.text.partition("{")[0].split())
                found[file, text].append(node)
        return found

    @cached_property
    def _tests_of_rules(self) -> dict[tuple[str, str], int]:
        return {
            (file, str(item.title.value)): item.span.first.line
            for file, module in self._modules.items()
            for item in module.items
            if isinstance(item, Test)
        }

    # -- the program's own tests ----------------------------------------------------------------

    def _tests_of(self, file: str) -> dict[str, int]:
        path = self._root / "tests" / file
        if not path.is_file():
            return {}
        tree = ast.parse(path.read_text(encoding="utf-8"))
        return {
            node.name.removeprefix("test_").replace("_", " "): node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        }

    # -- pages and stories ----------------------------------------------------------------------

    def page(self, name: str) -> str | None:
        """The heading of `guide/fields.md#lists`, or the page's own; None if there is none."""
        file, _, anchor = name.partition("#")
        path, text = self._root / "docs" / file, self._made.get(file)
        if text is None and not path.is_file():
            return None
        text = _FENCE.sub("", text or path.read_text(encoding="utf-8"))
        headings = [found[1].replace("`", "") for found in _HEADING.finditer(text)]
        return next((h for h in headings if not anchor or self.anchor(h) == anchor), None)

    @staticmethod
    def anchor(heading: str) -> str:
        """What a heading is linked by, as MyST has it."""
        return str(slugify(heading))

    def step(self, name: str) -> bool:
        """Whether there is a `STORY: STEP` in the demo."""
        story, _, title = name.partition(": ")
        return story in STORIES and title in {step.title for step in STORIES[story].steps}


def _statements(node: Any) -> Iterator[Any]:
    """All statements in a part of the tree, blocks and what is in them."""
    if isinstance(node, tuple):
        for each in node:
            yield from _statements(each)
    elif is_dataclass(node) and not isinstance(node, Test):
        if isinstance(node, _STATEMENTS):
            yield node
        for each in fields(node):
            value = getattr(node, each.name)
            if isinstance(value, tuple) and not isinstance(value, Span):
                yield from _statements(value)
