"""Reads the guide's pages: which blocks stand in them, and what each is to be taken for.

- a plain block of `sync` is a set of rules, whole by itself;
- `:caption: rules/x.sync` makes it a file of the page's project, in the place of one before it;
- `:class: in-NAME` makes it a part of the rules in `contexts.py` of that name;
- `:class: bad CW202` means that lint finds this in it, and nothing else; a file that is only `bad`
  has a flaw that lint does not look for;
- a block of `text` with a caption is a file of the project that is no rules;
- a block of `console` is typed into the page's project, from top to bottom.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["GUIDE", "Block", "blocks", "chapters"]

GUIDE = Path(__file__).parents[2] / "docs" / "guide"

_FENCE = re.compile(r"^```(?P<info>.*)\n(?P<body>(?:.*\n)*?)```$", re.MULTILINE)
_OPTION = re.compile(r"^:(\w+): *(.*)\n", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page. `marks` are the words of its `:class:`."""

    page: str
    line: int
    language: str
    text: str
    caption: str | None
    marks: tuple[str, ...]

    @property
    def is_rules(self) -> bool:
        return self.language == "sync"

    @property
    def fragment_of(self) -> str | None:
        """The name of the rules that it is a part of; None if it is whole."""
        return next((mark[3:] for mark in self.marks if mark.startswith("in-")), None)

    @property
    def bad(self) -> frozenset[str]:
        """The codes that lint finds in it."""
        codes = (mark for mark in self.marks if mark.startswith("CW"))
        return frozenset(codes if "bad" in self.marks else ())

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def chapters() -> list[Path]:
    """The pages of the guide."""
    return sorted(GUIDE.glob("*.md"))


def blocks(page: Path) -> Iterator[Block]:
    """All fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        words = found["info"].replace("{code-block}", "").split()
        options, body = _options(found["body"])
        marks = tuple(options.get("class", "").split())
        language = words[0] if words else ""
        yield Block(page.name, line, language, body, options.get("caption"), marks)


def _options(body: str) -> tuple[dict[str, str], str]:
    options = {}
    while found := _OPTION.match(body):
        options[found[1]] = found[2]
        body = body[found.end() :]
    return options, body.removeprefix("\n") if options else body
