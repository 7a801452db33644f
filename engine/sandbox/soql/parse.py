"""The text of a query to its tree, or the vendor's refusal."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path as File
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args

from dsl.grammar import AnyName, keyword_lexer
from engine.sandbox.soql.errors import SoqlError, malformed
from engine.sandbox.soql.tree import (
    Among,
    Branch,
    Call,
    Children,
    Comparison,
    Every,
    Includes,
    Like,
    Literal,
    Negation,
    Path,
    Plain,
    Query,
    Some,
    Sorting,
    TypeOf,
    Within,
)

__all__ = ["parse"]

_GRAMMAR = File(__file__).parent / "soql.lark"
#: Salesforce's own bound of a query's characters.
_LONGEST = 100_000
#: Two words before what should be FROM: a field, and what was taken for its alias.
_ALIASED = re.compile(r"[\w.)]\s+(\w+)\s+$")
#: What should be a field, or one behind a comma, is FROM, which reads like one.
_NOTHING = re.compile(r"(?:^\s*SELECT|,)\s+(FROM)\b", re.IGNORECASE)
#: Characters that begin no token of the language.
_FOREIGN = re.compile(r"[^\x00-\x7f]|[\"`;]")
_NOTES = {"VIEW", "REFERENCE", "UPDATE", "TRACKING", "VIEWSTAT"}
_LOOKED_AT = {"VIEW", "REFERENCE"}
#: What many arguments may be given to.
_SEVERAL = {"ROLLUP", "CUBE"}
_WITH = {"SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"}


@lru_cache(maxsize=512)
def parse(text: str) -> Query:
    """The tree of a query. Raises `SoqlError`."""
    if len(text) > _LONGEST:
        message = f"SOQL statements cannot be longer than {_LONGEST} characters."
        raise SoqlError("MALFORMED_QUERY", message)
    try:
        found: Query = _parser().parse(text)  # type: ignore[assignment]
    except UnexpectedInput as error:
        raise _refusal(text, error) from None
    except _Wrong as error:
        raise malformed(str(error), text, error.at) from None
    return found


@cache
def _parser() -> Lark:
    return Lark(
        _GRAMMAR.read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        maybe_placeholders=False,
        postlex=AnyName(),
        _plugins={"ContextualLexer": keyword_lexer(str.upper)},
        transformer=_Builder(),
    )


class _Wrong(Exception):
    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


def _refusal(text: str, error: UnexpectedInput) -> SoqlError:
    at = error.pos_in_stream or 0
    if not isinstance(error, UnexpectedToken):
        return _unread(text, at)
    token = error.token
    if token.type == "$END":
        nothing = _NOTHING.search(text) if "_FROM" in error.accepts else None
        if nothing is not None:
            return malformed(f"unexpected token: '{nothing[1]}'", text, nothing.start(1))
        return malformed("unexpected token: '<EOF>'", text, len(text))
    # A misspelt FROM reads like an alias, and only the word behind it is wrong.
    misread = _ALIASED.search(text[:at]) if "_FROM" in error.accepts else None
    if misread is not None:
        return malformed(f"unexpected token: '{misread[1]}'", text, misread.start(1))
    return malformed(f"unexpected token: '{token}'", text, at)


def _unread(text: str, at: int) -> SoqlError:
    """The refusal of a character that begins nothing which could stand there."""
    character = text[at : at + 1]
    if character == ":":
        return malformed("Bind variables only allowed in Apex code", text, at)
    if character != "'" and not _FOREIGN.match(character):
        return malformed(f"unexpected token: '{character}'", text, at)
    wrong = f"no viable alternative at character '{character}'"
    if character == "'":  # the string that it begins has no end
        at, wrong = len(text), "mismatched character '<EOF>' expecting '''"
    row, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1)
    return SoqlError("MALFORMED_QUERY", f"line {row}:{column} {wrong}")


def _count(token: Token) -> int:
    if not token.isdigit():
        raise _Wrong(f"unexpected token: '{token}'", token.start_pos or 0)
    return int(token)


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    """Builds the tree while the text is read; each method is a rule of the grammar."""

    def start(self, query: Query) -> Query:
        return query

    def from_(self, *names: Token) -> Token:
        # A subquery may name its parent's type, or alias, before the relationship.
        return names[-1]

    def query(self, items: tuple[Any, ...], name: Token, *clauses: tuple[str, Any]) -> Query:
        parts = {name: value for name, value in clauses if value is not None}
        return Query(items, str(name), name.start_pos or 0, **parts)

    def items(self, *items: Any) -> tuple[Any, ...]:
        return items

    def plain(self, path: Path, alias: tuple[str, str] | None = None) -> Plain:
        return Plain(path, alias[1] if alias else None)

    called = plain

    def children(self, query: Query) -> Children:
        return Children(query)

    def alias(self, name: Token) -> tuple[str, str]:
        return "alias", str(name)

    def path(self, *names: Token) -> Path:
        return Path(tuple(map(str, names)), names[0].start_pos or 0)

    def call(self, name: Token, argument: Any = None, *more: Any) -> Call:
        word = str(name).upper()
        if more and word not in _SEVERAL:
            raise _Wrong("unexpected token: ','", more[0].at)
        return Call(word, argument, name.start_pos or 0, more)

    def typeof(self, path: Path, *rest: Any) -> TypeOf:
        branches = tuple(part for part in rest if isinstance(part, Branch))
        others = [part for part in rest if not isinstance(part, Branch)]
        return TypeOf(path, branches, others[0] if others else ())

    def branch(self, name: Token, paths: tuple[Path, ...]) -> Branch:
        return Branch(str(name), paths, name.start_pos or 0)

    def otherwise(self, paths: tuple[Path, ...]) -> tuple[Path, ...]:
        return paths

    def paths(self, *paths: Path) -> tuple[Path, ...]:
        return paths

    # -- clauses ----------------------------------------------------------------------------

    def named(self, alias: tuple[str, str] | None = None) -> tuple[str, Any]:
        return alias or ("alias", None)

    def others(self, *parts: Any) -> tuple[str, Any]:
        return "others", tuple(
            (path, alias) for path, (_, alias) in zip(parts[::2], parts[1::2], strict=True)
        )

    def scope(self, name: Token | None = None) -> tuple[str, Any]:
        return "scope", None if name is None else str(name).lower()

    def where(self, condition: Any = None) -> tuple[str, Any]:
        return "where", condition

    def with_(self, name: Token) -> tuple[str, Any]:
        if name.upper() not in _WITH:
            raise _Wrong(f"unexpected token: '{name}'", name.start_pos or 0)
        return "with", None

    def group(self, *operands: Any) -> tuple[str, Any]:
        return "group", operands or None

    def having(self, condition: Any = None) -> tuple[str, Any]:
        return "having", condition

    def order(self, *sortings: Sorting) -> tuple[str, Any]:
        return "order", sortings or None

    def sorting(self, operand: Any, *words: Token) -> Sorting:
        types = {word.type for word in words}
        return Sorting(operand, "DESC" in types, "LAST" in types)

    def limit(self, number: Token | None = None) -> tuple[str, Any]:
        return "limit", None if number is None else _count(number)

    def offset(self, number: Token | None = None) -> tuple[str, Any]:
        return "offset", None if number is None else _count(number)

    def note(self, word: Token) -> tuple[str, Any]:
        if word.type == "ALL":
            # Only Apex may say so; REST has `queryAll` for it.
            raise _Wrong("ALL ROWS not allowed in this context", word.start_pos or 0)
        if word.upper() not in _NOTES:
            raise _Wrong(f"unexpected token: '{word}'", word.start_pos or 0)
        return "viewed", word.upper() in _LOOKED_AT or None

    # -- conditions -------------------------------------------------------------------------

    def every(self, *conditions: Any) -> Every:
        return Every(conditions)

    def some(self, *conditions: Any) -> Some:
        return Some(conditions)

    def negation(self, condition: Any) -> Negation:
        return Negation(condition)

    def comparison(self, operand: Any, operator: Token, value: Literal) -> Comparison:
        return Comparison(operand, "!=" if operator == "<>" else str(operator), value)

    def like(self, operand: Any, value: Literal) -> Like:
        return Like(operand, value)

    def within(self, operand: Any, query: Query) -> Within:
        return Within(operand, query, holds=True)

    def without(self, operand: Any, query: Query) -> Within:
        return Within(operand, query, holds=False)

    def among(self, operand: Any, values: tuple[Literal, ...]) -> Among:
        return Among(operand, values, holds=True)

    def not_among(self, operand: Any, values: tuple[Literal, ...]) -> Among:
        return Among(operand, values, holds=False)

    def includes(self, operand: Any, values: tuple[Literal, ...]) -> Includes:
        return Includes(operand, values, holds=True)

    def excludes(self, operand: Any, values: tuple[Literal, ...]) -> Includes:
        return Includes(operand, values, holds=False)

    def literals(self, *literals: Literal) -> tuple[Literal, ...]:
        return literals

    def literal(self, token: Token) -> Literal:
        return Literal(token.type, str(token), token.start_pos or 0)
