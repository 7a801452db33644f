"""The grammar reference: each rule of `grammar.lark` as a production with links, and its prose."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from textwrap import fill

from lark import Lark, Token, Tree

from dsl.grammar import GRAMMAR_FILE

__all__ = ["FIRST_SECTION", "Production", "grammar_page", "keywords", "read_grammar"]

#: What the rules above the first section comment are about.
FIRST_SECTION = "top-level items"

_SECTION = re.compile(r"^// -- (.+?) -+$", re.MULTILINE)
_WIDTH = 84


@dataclass(frozen=True)
class Production:
    """A rule, or a terminal that is a pattern, as it is shown; alternatives are a line each."""

    name: str
    section: str
    lines: tuple[str, ...]


def grammar_page(prose: str, grammar: str | None = None) -> str:
    """The Markdown of the page, below its title. `prose` is TOML: a text for each rule.

    Raises `LookupError` for a rule without prose, and for prose of a rule that is not there.
    """
    texts: Mapping[str, str] = tomllib.loads(prose)
    productions = read_grammar(grammar or GRAMMAR_FILE.read_text(encoding="utf-8"))
    _check({p.name for p in productions}, set(texts))
    return "\n".join(_shown(productions, texts))


def _check(rules: set[str], texts: set[str]) -> None:
    silent, gone = sorted(rules - texts), sorted(texts - rules)
    if silent:
        raise LookupError(f"these rules of the grammar have no prose: {', '.join(silent)}")
    if gone:
        raise LookupError(f"there is prose of rules that are gone: {', '.join(gone)}")


def _shown(productions: list[Production], texts: Mapping[str, str]) -> Iterator[str]:
    section = None
    for each in productions:
        if each.section != section:
            section = each.section
            yield f"## {section[0].upper()}{section[1:]}\n"
        first, *more = each.lines
        yield f"### {each.name}\n"
        yield f"```{{eval-rst}}\n.. productionlist::\n   {each.name}: {first}"
        yield from (f"   : {line}" for line in more)
        yield f"```\n\n{texts[each.name].strip()}\n"


# -- reading ------------------------------------------------------------------------------------


@cache
def _parser() -> Lark:
    """Lark's own grammar of grammars."""
    return Lark.open_from_package(
        "lark",
        "lark.lark",
        ("grammars",),
        parser="lalr",
        propagate_positions=True,
        maybe_placeholders=False,
    )


def keywords(grammar: str) -> frozenset[str]:
    """Every word of the language, as it is written."""
    texts = (text[1:-1] for text in _literals(_parser().parse(grammar + "\n")).values())
    return frozenset(text for text in texts if text.isidentifier())


def read_grammar(grammar: str) -> list[Production]:
    """All productions in the order of the file; a keyword stands in them as it is written."""
    tree = _parser().parse(grammar + "\n")
    literals = _literals(tree)
    sections = [(m.start(), m[1]) for m in _SECTION.finditer(grammar)]
    found = []
    for node in _definitions(tree):
        name = str(node.children[0])
        if name in literals:
            continue
        before = [title for start, title in sections if start < (node.meta.start_pos or 0)]
        lines = tuple(_lines(_body(node), literals))
        found.append(Production(_plain(name), before[-1] if before else FIRST_SECTION, lines))
    return found


def _definitions(tree: Tree[Token]) -> Iterator[Tree[Token]]:
    for node in tree.children:
        if isinstance(node, Tree) and node.data in ("rule", "token"):
            yield node


def _body(definition: Tree[Token]) -> Tree[Token] | Token:
    return definition.children[-1]


def _literals(tree: Tree[Token]) -> dict[str, str]:
    """The terminals that are one fixed text, each with that text in quotes."""
    found = {}
    for node in _definitions(tree):
        body = _body(node)
        if node.data == "token" and isinstance(body, Tree) and body.data == "literal":
            text = str(body.children[0])
            if text.startswith('"'):
                found[str(node.children[0])] = text
    return found


def _plain(name: str) -> str:
    return name.lstrip("?!_")


# -- showing ------------------------------------------------------------------------------------


def _lines(body: Tree[Token] | Token, literals: Mapping[str, str]) -> Iterator[str]:
    """One line if it is short, else a line for each alternative, or filled if they are words."""
    whole = _text(body, literals)
    if len(whole) <= _WIDTH or not isinstance(body, Tree) or body.data != "expansions":
        yield whole
        return
    alternatives = [_text(child, literals) for child in body.children]
    if all(" " not in alternative for alternative in alternatives):
        yield from _filled(whole)
        return
    yield alternatives[0]
    yield from (f"| {alternative}" for alternative in alternatives[1:])


def _filled(alternatives: str) -> Iterator[str]:
    """Several lines, each but the first led by its bar."""
    glued = alternatives.replace(" | ", " |\N{NO-BREAK SPACE}")
    for line in fill(glued, _WIDTH, break_long_words=False).splitlines():
        yield line.replace("\N{NO-BREAK SPACE}", " ")


def _text(node: Tree[Token] | Token, literals: Mapping[str, str]) -> str:
    if isinstance(node, Token):
        return str(node)
    parts = [_text(child, literals) for child in node.children]
    match node.data:
        case "expansions":
            return " | ".join(parts)
        case "alias":
            return parts[0]  # what follows is the name of a method that builds the tree
        case "expansion":
            groups = zip(node.children, parts, strict=True)
            return " ".join(f"({t})" if _is(c, "expansions") else t for c, t in groups)
        case "expr":
            atom = f"({parts[0]})" if _is(node.children[0], "expansions", "expansion") else parts[0]
            return atom + "".join(parts[1:])
        case "name":
            return literals.get(parts[0], f"`{_plain(parts[0])}`")
        case "literal":
            return parts[0]
    raise ValueError(f"the grammar has a `{node.data}`, which this page cannot show")


def _is(node: Tree[Token] | Token, *kinds: str) -> bool:
    return isinstance(node, Tree) and node.data in kinds
