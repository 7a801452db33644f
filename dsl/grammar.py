"""Loads the grammar as a parser, from a private cache where there can be one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsl.cache import cache_folder

if TYPE_CHECKING:
    from lark import Lark

__all__ = ["GRAMMAR_FILE", "AnyName", "keyword_lexer", "load_parser"]

GRAMMAR_FILE = Path(__file__).parent / "grammar.lark"


class AnyName:
    """Tells lark that a name may stand anywhere, so that a wrong word is one token, never a piece
    of it that looks like a keyword (`on` of `onlin`)."""

    always_accept = ("NAME",)

    def process(self, stream: Iterator[Any]) -> Iterator[Any]:
        return stream


def keyword_lexer(fold: Callable[[str], str] = str) -> Any:
    """Lark's contextual lexer, with the keywords looked up in a dictionary by their folded form.

    Lark itself finds a name and then tries it against all keywords as a regular expression, and
    compiles one such for each set of keywords that it meets, which takes longer than the parse.
    """
    from lark.lexer import BasicLexer, ContextualLexer, PatternStr, Scanner, Token  # noqa: PLC0415 - lazy

    scanners: dict[frozenset[str], Scanner] = {}

    class Keywords(BasicLexer):
        def _build_scanner(self) -> Scanner:
            keywords = {
                fold(t.pattern.value): t.name
                for t in self.terminals
                if isinstance(t.pattern, PatternStr) and t.pattern.value.isidentifier()
            }
            others = [t for t in self.terminals if t.name not in keywords.values()]

            def named(token: Token) -> Token:
                token.type = keywords.get(fold(token.value), "NAME")
                return token

            self.callback = {**self.user_callbacks, "NAME": named}
            key = frozenset(t.name for t in others)
            if key not in scanners:
                make: Any = Scanner  # lark leaves it without annotations
                scanners[key] = make(others, self.g_regex_flags, self.re, self.use_bytes)
            return scanners[key]

    return type("KeywordLexer", (ContextualLexer,), {"BasicLexer": Keywords})


def load_parser(transformer: Any = None, *, cached: bool = True, **options: Any) -> Lark:
    """A lark parser of the grammar; `options` go to lark."""
    from lark import Lark  # noqa: PLC0415 - lazily: an unchanged project is answered without it

    grammar = GRAMMAR_FILE.read_text(encoding="utf-8")
    place = _cache_file(grammar) if cached else None
    return Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        keep_all_tokens=True,
        maybe_placeholders=False,
        postlex=AnyName(),
        transformer=transformer,
        cache=place or False,
        _plugins={"ContextualLexer": keyword_lexer()},
        **options,
    )


@cache
def _cache_file(grammar: str) -> str | None:
    from hashlib import sha256  # noqa: PLC0415 - lazy
    from sys import version_info  # noqa: PLC0415 - lazy

    folder = cache_folder()
    if folder is None:
        return None
    digest = sha256(grammar.encode()).hexdigest()[:16]
    return f"{folder}/grammar-{digest}-{version_info[0]}.{version_info[1]}.lark"
