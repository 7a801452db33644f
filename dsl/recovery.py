"""Reads what is left of a text with mistakes in it, and reports each mistake once.

A mistake's statement is found by eye, so to say (lines, braces, the words that statements start
with), blanked, and the text read again: what is wrong in one statement cannot confuse the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dsl.braces import doubled, extra, unclosed
from dsl.diagnostics import Diagnostic, closest
from dsl.expected import Wording, expected, unexpected
from dsl.scan import Word, words_of
from dsl.source import Source, Span
from dsl.statements import Block, outline, statement_at

__all__ = ["Failure", "Recovered", "recover"]

_MOST = 50
_ARROWS = ("<->", "->", "<-")


class Failure(NamedTuple):
    """Where the parser stopped: the place and text of what it could not take (text empty at the
    end), and the terminals that it could have taken."""

    start: int
    end: int
    text: str
    is_name: bool
    accepts: frozenset[str]


# Reads a stretch of a text: its items, or where and why it stopped.
Read = Callable[[str, int, int], "list[Any] | Failure"]


@dataclass
class Recovered:
    items: list[Any]
    diagnostics: list[Diagnostic]
    broken: list[Span]


def recover(
    source: Source,
    text: str,
    extent: tuple[int, int],
    reported: Sequence[tuple[int, int]],
    read: Read,
) -> Recovered:
    """The items between two offsets, and what is wrong there.

    `text` is the source's with its comments, stray characters and endless strings blanked;
    `reported` are the stretches of it that a finding has been made of already.
    """
    return _Recovery(source, text, *extent, reported, read).run()


@dataclass
class _Recovery:
    source: Source
    text: str
    begin: int
    end: int
    reported: Sequence[tuple[int, int]]
    read: Read
    found: list[Diagnostic] = field(default_factory=list)
    broken: list[Span] = field(default_factory=list)
    _counted: tuple[str, int] = ("", 0)
    _cached: list[Word] = field(default_factory=list)

    def run(self) -> Recovered:
        self._close_braces()
        for _ in range(_MOST):
            result = self._read(self.text)
            if not isinstance(result, Failure):
                return Recovered(result, self.found, self.broken)
            if not self._mend_brace(result):
                self._drop(result)
        return Recovered([], self.found, [*self.broken, Span(self.source, self.begin, self.end)])

    def _read(self, text: str) -> list[Any] | Failure:
        return self.read(text, self.begin, self.end)

    def _words(self) -> list[Word]:
        """The words of the text as it is now; it is asked for them several times between edits."""
        key = self.text, self.end
        if self._counted != key:
            self._counted = key
            self._cached = words_of(self.text, self.begin, self.end)
        return self._cached

    def _report(self, start: int, end: int, wording: Wording) -> None:
        span = Span(self.source, start, max(min(end, len(self.source.text)), start))
        self.found.append(
            Diagnostic("CW101", wording.message, span, wording.help, wording.suggestion)
        )

    # -- braces ---------------------------------------------------------------------------------

    def _close_braces(self) -> None:
        """Ends the blocks that have no end, as the lines' indentation shows."""
        words = self._words()
        for index in doubled(words):
            brace = words[index]
            self._report(brace.start, brace.end, Wording("this `{` opens nothing"))
            self._blank(brace.start, brace.end)
        words = self._words()
        for index, place in unclosed(words, self.text, self.end):
            brace = words[index]
            head = [w.text for w in words[:index] if w.start >= self._line(brace.start)]
            owner = f" of `{_owner(head)}`" if head else ""
            self._report(brace.start, brace.end, Wording(f"`{{`{owner} is never closed"))
            self._insert_closing(place)

    def _line(self, offset: int) -> int:
        return self.text.rfind("\n", 0, offset) + 1

    def _mend_brace(self, failure: Failure) -> bool:
        """A `}` that closes nothing, or a `{` that is not there: whether it was that."""
        words = self._words()
        orphans = extra(words, self.text)
        if not orphans:
            return False
        first = words[orphans[0]]
        if "LBRACE" in failure.accepts and self._open_brace(failure, first):
            return True
        if failure.start < first.start:
            return False
        self._report(first.start, first.end, Wording("this `}` closes nothing"))
        self._blank(first.start, first.end)
        return True

    def _open_brace(self, failure: Failure, orphan: Word) -> bool:
        """A `{` before the place where the parser stopped, if then it gets to the orphaned `}`."""
        gap = failure.start - 1
        if gap < self.begin or not self.text[gap].isspace():
            return False
        candidate = self.text[:gap] + "{" + self.text[gap + 1 :]
        again = self._read(candidate)
        if isinstance(again, Failure) and again.start <= min(failure.end, orphan.start):
            return False
        last = words_of(self.text, self.begin, gap)[-1]
        self._report(last.start, last.end, Wording(f"expected `{{` after `{last.text}`"))
        self.text = candidate
        return True

    def _insert_closing(self, place: int) -> None:
        """A `}` in place of white space before an offset; past the end where there is none."""
        at = place - 1
        while at > self.begin and self.text[at] == "}":
            at -= 1
        if place < self.end and at >= self.begin and self.text[at].isspace():
            self.text = self.text[:at] + "}" + self.text[at + 1 :]
        else:
            # Nothing after this stretch is read, so it can be longer than it was.
            self.text = self.text[: self.end] + "}"
            self.end += 1

    # -- statements -----------------------------------------------------------------------------

    def _drop(self, failure: Failure) -> None:
        words = self._words()
        top = outline(words, self.begin, self.end)
        place = statement_at(top, words, failure.start)
        if place is None:
            self._give_up(failure)
            return
        block, index = place
        stretch = self._stretch(block, index, words)
        guilty = self._earlier(block, index, words)
        if guilty is not None:
            stretch = self._stretch(block, index - 1, words)
        told = any(d.span.start == failure.start for d in self.found)
        if not told and not self._known(stretch):
            self._explain(guilty or failure, words, stretch)
        self.broken.append(Span(self.source, stretch[0], min(stretch[1], len(self.source.text))))
        self._blank(*stretch)

    def _known(self, stretch: tuple[int, int]) -> bool:
        """Whether there is a finding already on the lines of a stretch."""
        first = self._line(stretch[0])
        last = self.text.find("\n", stretch[1])
        last = last if last >= 0 else len(self.text)
        return any(first <= start < last for start, _ in self.reported)

    def _give_up(self, failure: Failure) -> None:
        self._explain(failure, [], (failure.start, failure.end))
        self.broken.append(Span(self.source, self.begin, self.end))
        self._blank(self.begin, self.end)

    def _stretch(self, block: Block, index: int, words: list[Word]) -> tuple[int, int]:
        statement = block.statements[index]
        return words[statement.first].start, words[statement.stop - 1].end

    def _earlier(self, block: Block, index: int, words: list[Word]) -> Failure | None:
        """The failure of the statement before, if that is the one to blame.

        `A <->` and on the next line `B <-> b` stops the parser only in the second.
        """
        if index == 0:
            return None
        cut = self.read(self.text, self.begin, words[block.statements[index].first].start)
        if not isinstance(cut, Failure) or cut.text or "RBRACE" in cut.accepts:
            return None
        last = words[block.statements[index].first - 1]
        if last.text == "}" or block.kind == "top":
            return None
        return Failure(last.end, last.end, "", False, cut.accepts)

    # -- words ----------------------------------------------------------------------------------

    def _explain(self, failure: Failure, words: list[Word], stretch: tuple[int, int]) -> None:
        before = [w for w in words if w.end <= failure.start and w.start >= stretch[0]]
        fresh = any(w.start == failure.start and w.fresh for w in words)
        ended = fresh and failure.text not in _ARROWS and "CROSSWALK" not in failure.accepts
        arrows = {"BOTH", "TO", "FROM_OUTREACH"} <= failure.accepts
        if arrows and len(before) > 1 and before[-1].text.isidentifier():
            # `A <-> b oce`: the word was taken for the start of the next line.
            self._explain_modifier(before[-1])
        elif failure.text in _ARROWS and _takes_next_line(before):
            arrow = before[-2]
            message = f"expected a field or a value after `{arrow.text}`"
            self._report(arrow.start, arrow.end, Wording(message))
        elif before and (failure.text in ("", "}") or ended):
            last = before[-1]
            wanted = expected(failure.accepts - {"RBRACE"})
            message = f"expected {wanted} after `{last.text}`" if wanted else "unexpected end"
            self._report(last.start, last.end, Wording(message))
        elif not failure.text and words:
            wording = unexpected("", failure.accepts, is_name=False)
            self._report(words[-1].start, words[-1].end, wording)
        else:
            previous = before[-1].text if before else ""
            wording = unexpected(
                failure.text, failure.accepts, is_name=failure.is_name, before=previous
            )
            self._report(failure.start, failure.end, wording)

    def _explain_modifier(self, word: Word) -> None:
        near = closest(word.text, ("prevent", "via", "prefer", "once", "when", "use"))
        message = f"unexpected `{word.text}`, expected a modifier such as `via` or `once`"
        message += ", or a whole line with an arrow"
        help_text = f"did you mean `{near}`?" if near else None
        self._report(word.start, word.end, Wording(message, help_text, near))

    # -- text -----------------------------------------------------------------------------------

    def _without(self, start: int, end: int) -> str:
        return self.text[:start] + _blanked(self.text[start:end]) + self.text[end:]

    def _blank(self, start: int, end: int) -> None:
        self.text = self._without(start, end)


def _blanked(text: str) -> str:
    """As long, with the same line ends, and nothing else."""
    return "".join(c if c == "\n" else " " for c in text)


def _takes_next_line(before: list[Word]) -> bool:
    """Whether an arrow at the end of a line has taken the next line's first word."""
    return len(before) > 1 and before[-1].fresh and before[-2].text in _ARROWS


def _owner(words: list[str]) -> str:
    """The words that a block starts with, without what stood before them on the line."""
    for index in range(len(words) - 1, -1, -1):
        if words[index] in ("{", "}"):
            words = words[index + 1 :]
            break
    for index, word in enumerate(words):
        if index and word in ("->", "from", "title", "when"):
            words = words[:index]
            break
    return " ".join(words) or "{"
