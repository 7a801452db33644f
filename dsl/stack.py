"""Looks at the parser in the middle of a text: its stack, and which words it takes next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from dsl.grammar import load_parser

if TYPE_CHECKING:
    from lark import Lark

__all__ = ["Fits", "Symbol", "accepts", "fits", "read", "stack_before"]

# Reductions that only say "a name": a keyword that leads to nothing else is none there.
_NAMES = frozenset({"_keyword", "word", "name"})
# Names of things are short; what else a symbol was made from does not matter.
_KEPT = 40
_FEW = 10


class Symbol(NamedTuple):
    """One entry of the parser's stack: a terminal or a rule of the grammar, and its words."""

    kind: str
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        return "".join(self.words)


class Fits(NamedTuple):
    """The keywords that fit, with what has to follow them; whether a call does."""

    keywords: tuple[str, ...]
    function: bool


class _Symbols(dict[Any, Callable[[Sequence[Any]], Symbol]]):
    """Makes a symbol of each reduction, where the parser would make a tree."""

    def __missing__(self, rule: Any) -> Callable[[Sequence[Any]], Symbol]:
        kind = str(rule.origin.name)
        made = self[rule] = lambda parts: Symbol(kind, tuple(_words(parts))[:_KEPT])
        return made

    def __bool__(self) -> bool:
        return True


def _words(parts: Sequence[Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Symbol):
            yield from part.words
        else:
            yield str(part)


@cache
def _parser() -> tuple[Lark, _Symbols]:
    return load_parser(), _Symbols()


def read(text: str) -> tuple[Any, int | None]:
    """A parser that has read a text, and where it stopped if it could not read it all."""
    from lark import UnexpectedInput, UnexpectedToken  # noqa: PLC0415 - lazy

    parser, symbols = _parser()
    reader: Any = parser.parse_interactive(text)
    reader.parser_state.parse_conf = copy(reader.parser_state.parse_conf)
    reader.parser_state.parse_conf.callbacks = symbols
    try:
        reader.exhaust_lexer()
    except UnexpectedToken as error:
        return reader, error.token.start_pos or 0
    except UnexpectedInput as error:
        return reader, error.pos_in_stream or 0
    return reader, None


def stack_before(reader: Any, kind: str) -> tuple[Symbol, ...] | None:
    """The stack on which a terminal comes to lie: what is open there. None if it cannot.

    What a repetition has gathered so far adds its words to the entry before it.
    """
    ahead = _after(reader, kind)
    if ahead is None:
        return None
    found: list[Symbol] = []
    for value in ahead.parser_state.value_stack[:-1]:
        symbol = value if isinstance(value, Symbol) else Symbol(value.type, (str(value),))
        if not symbol.kind.startswith("__"):
            found.append(symbol)
        elif found:
            found[-1] = Symbol(found[-1].kind, (*found[-1].words, *symbol.words))
    return tuple(found)


def _after(reader: Any, kind: str) -> Any:
    """A copy of the parser that has taken one more terminal; None if it takes none such."""
    from lark import Token, UnexpectedToken  # noqa: PLC0415 - lazy

    ahead = reader.copy(deepcopy_values=False)
    try:
        ahead.feed_token(Token(kind, ""))
    except UnexpectedToken:
        return None
    return ahead


def accepts(reader: Any, kind: str) -> bool:
    """Whether a terminal can come next."""
    return kind in reader.choices() and _after(reader, kind) is not None


# -- keywords -----------------------------------------------------------------------------------


def fits(reader: Any) -> Fits:
    """The words that the grammar itself puts at the place, names left aside."""
    found = [words for kind, ahead in _next(reader) for words in _phrases(kind, ahead)]
    return Fits(tuple(sorted(found)), accepts(reader, "FUNCTION"))


def _phrases(kind: str, ahead: Any) -> Iterator[str]:
    """A keyword, with what has to follow where that is one of a few more."""
    word = _spellings()[kind]
    choices = _choices(ahead)
    if len(choices) >= _FEW or not all(other in _spellings() for other in choices):
        yield word
        return
    for other, further in _next(ahead):
        more = list(_phrases(other, further)) if len(_choices(further)) == 1 else []
        yield from (f"{word} {rest}" for rest in more or [_spellings()[other]])


def _next(reader: Any) -> Iterator[tuple[str, Any]]:
    """The keywords that can come next and mean more there than a name would."""
    for kind in _choices(reader):
        if kind in _spellings():
            ahead = _after(reader, kind)
            if ahead is not None and not _is_name(ahead):
                yield kind, ahead


def _choices(reader: Any) -> list[str]:
    return [kind for kind in reader.choices() if kind.isupper()]


def _is_name(reader: Any) -> bool:
    """Whether a keyword just read can only become a name."""
    return all(
        getattr(getattr(rule, "origin", None), "name", None) in _NAMES
        for rule in (what for _, what in reader.choices().values())
    )


@cache
def _spellings() -> dict[str, str]:
    """The keywords by the names of their terminals."""
    from lark.lexer import PatternStr  # noqa: PLC0415 - lazy

    return {
        str(terminal.name): terminal.pattern.value
        for terminal in _parser()[0].terminals
        if isinstance(terminal.pattern, PatternStr) and terminal.pattern.value.isidentifier()
    }
