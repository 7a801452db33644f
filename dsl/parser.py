"""From the text of a rule file to its tree, reporting every mistake on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from dsl import syntax as s
from dsl.build import Builder
from dsl.diagnostics import Diagnostic
from dsl.grammar import load_parser
from dsl.scan import DEEPEST, ITEM, Scan, scan, too_deep
from dsl.source import Source, Span

if TYPE_CHECKING:
    from lark import Lark, UnexpectedInput

    from dsl.recovery import Failure

__all__ = ["Reader", "chunks", "parse"]

# The parser and the builder in it hold state while they read one stretch.
_lock = Lock()


@cache
def _loaded() -> tuple[Lark, Builder]:
    builder = Builder()
    return load_parser(builder), builder


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of a file that can be read by themselves, as read: see `dsl.syntax.Module`."""

    source: Source
    items: tuple[s.Item, ...]
    comments: tuple[s.Comment, ...]
    broken: tuple[Span, ...]
    found: tuple[Diagnostic, ...]


class Reader:
    """Reads rule files again and again, each time only the parts whose text is new."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], list[Part]] = {}

    def read(self, sources: Iterable[Source]) -> tuple[list[s.Module], list[Diagnostic]]:
        """The trees of all files of a project, and what is wrong with their texts.

        Never raises, whatever the text. What an earlier call returned has its places moved.
        """
        modules: list[s.Module] = []
        found: list[Diagnostic] = []
        kept: dict[tuple[str, str], list[Part]] = {}
        for source in sources:
            parts = []
            line = source.first_line
            for begin, end in chunks(source.text):
                text = source.text[begin:end]
                key = (source.path, text)
                known = self._known.get(key)
                part = known.pop(0) if known else _read_part(Source(source.path, text))
                part.source.first_line = line
                line += text.count("\n")
                kept.setdefault(key, []).append(part)
                parts.append(part)
                found += part.found
            modules.append(_joined(source, parts))
        self._known = kept
        return modules, found


def parse(source: Source) -> tuple[s.Module, list[Diagnostic]]:
    """The tree of a rule file, and what is wrong with its text. Never raises, whatever the text."""
    (module,), found = Reader().read([source])
    return module, found


def _joined(source: Source, parts: Sequence[Part]) -> s.Module:
    return s.Module(
        source,
        tuple(item for part in parts for item in part.items),
        tuple(comment for part in parts for comment in part.comments),
        tuple(span for part in parts for span in part.broken),
    )


def _read_part(source: Source) -> Part:
    text = source.text
    scanned = scan(text)
    found = list(_stray(source, scanned))
    clean = _without(text, [*scanned.junk, *scanned.unterminated])
    depth = too_deep(clean)
    if depth is not None:
        words = f"nested too deeply: more than {DEEPEST} levels"
        found.append(Diagnostic("CW101", words, Span(source, depth, depth + 1)))
        read = _Read((), broken=(Span(source, 0, len(text)),))
    else:
        with _lock:
            read = _parsed(source, clean, scanned)
    comments = tuple(
        s.Comment(Span(source, start, end), text[start:end]) for start, end in scanned.comments
    )
    return Part(source, read.items, comments, read.broken, (*found, *read.found))


class _Read(NamedTuple):
    items: tuple[s.Item, ...]
    found: tuple[Diagnostic, ...] = ()
    broken: tuple[Span, ...] = ()


def _parsed(source: Source, clean: str, scanned: Scan) -> _Read:
    from lark import UnexpectedInput  # noqa: PLC0415 - lazy

    lark, builder = _loaded()
    builder.source = source
    builder.problems = []
    try:
        items: Any = lark.parse(clean)
        read = _Read(tuple(items))
    except (UnexpectedInput, RecursionError):
        read = _recovered(source, clean, scanned)
    builder.source = Source("", "")
    problems = (Diagnostic("CW101", words, at, how) for at, words, how in builder.problems)
    return read._replace(found=(*read.found, *problems))


def chunks(text: str) -> Iterator[tuple[int, int]]:
    """The stretches of a text that can be read one by one.

    An indented line inside an open block starts no stretch: `fields mine {` in a sync is a mistake
    there.
    """
    begin = 0
    for item in ITEM.finditer(text):
        at = item.start() + 1
        if text[at] in " \t":
            nested = text.count("{", begin, at) > text.count("}", begin, at)
            if nested and not text[begin].isspace():
                continue
        yield begin, at
        begin = at
    if begin < len(text):
        yield begin, len(text)


def _without(text: str, stretches: Iterable[tuple[int, int]]) -> str:
    """The text with some stretches as spaces."""
    ordered = sorted(stretches)
    if not ordered:
        return text
    parts: list[str] = []
    at = 0
    for start, end in ordered:
        parts += (text[at:start], " " * (end - start))
        at = end
    return "".join((*parts, text[at:]))


def _stray(source: Source, scanned: Scan) -> Iterator[Diagnostic]:
    """What no token starts with, and strings without an end: once a line."""
    lines = set()
    for start, end in scanned.unterminated:
        span = Span(source, start, end)
        lines.add(span.first.line)
        message = 'this text has no closing `"`'
        yield Diagnostic("CW101", message, span, "text ends on the line that it starts on")
    for start, end in scanned.junk:
        span = Span(source, start, end)
        if span.first.line not in lines:
            lines.add(span.first.line)
            words = f"unexpected `{span.text}`"
            from dsl.expected import hint_for_junk  # noqa: PLC0415 - lazy

            if not span.text.isprintable():
                words = f"unexpected character U+{ord(span.text[0]):04X}, which cannot be seen"
            yield Diagnostic("CW101", words, span, hint_for_junk(span.text))


def _recovered(source: Source, clean: str, scanned: Scan) -> _Read:
    from dsl.recovery import recover  # noqa: PLC0415 - lazy

    reported = [*scanned.junk, *scanned.unterminated]
    text = _without(clean, scanned.comments)
    result = recover(source, text, (0, len(text)), reported, _read)
    return _Read(tuple(result.items), tuple(result.diagnostics), tuple(result.broken))


def _read(text: str, begin: int, end: int) -> list[Any] | Failure:
    from lark import UnexpectedInput  # noqa: PLC0415 - lazy
    from lark.utils import TextSlice  # noqa: PLC0415 - lazy

    from dsl.recovery import Failure  # noqa: PLC0415 - lazy

    lark, builder = _loaded()
    builder.problems = []
    try:
        items: Any = lark.parse(TextSlice(text, begin, end))
    except UnexpectedInput as error:
        return _failure(error, end)
    except RecursionError:
        return Failure(begin, end, text[begin:end].strip(), False, frozenset())
    found: list[Any] = items
    return found


def _failure(error: UnexpectedInput, end: int) -> Failure:
    from lark import UnexpectedCharacters, UnexpectedToken  # noqa: PLC0415 - lazy

    from dsl.recovery import Failure  # noqa: PLC0415 - lazy

    accepts: frozenset[str] = frozenset()
    if isinstance(error, UnexpectedToken):
        accepts = frozenset(error.accepts or error.expected or ())
        token = error.token
        if token.type == "$END":
            return Failure(end, end, "", False, accepts)
        start = token.start_pos or 0
        return Failure(start, start + len(token), str(token), token.type == "NAME", accepts)
    at = error.pos_in_stream or 0
    character = error.char if isinstance(error, UnexpectedCharacters) else ""
    return Failure(at, at + 1, character, False, frozenset(getattr(error, "allowed", None) or ()))
