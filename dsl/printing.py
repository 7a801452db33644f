"""The canonical form: how each thing that can stand in a rule file is laid out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dsl.page import INDENT, Page, column
from dsl.spacing import Part, is_flat, is_loose, nodes_of, spaced, width_of, words_of
from dsl.words import Node, Word, cells

__all__ = ["OPTIONS", "Printer"]

Rows = Sequence[Node]

_MODIFIERS = ("prevent", "via", "prefer", "once", "when")
_TOGGLE_OPTIONS = ("switch", "every", "when")
_ACTIVITY_OPTIONS = ("switch", "origin", "target", "title", "when")

#: The canonical order of what may stand in any order behind a row's first words, by its rule.
OPTIONS = {
    "activity_line": _ACTIVITY_OPTIONS,
    "field_line": _MODIFIERS,
    "toggle": _TOGGLE_OPTIONS,
}

_CHAINS = {"all_of", "any_of"}
_STATEMENT = len("expect")


@dataclass(frozen=True)
class _Columns:
    """The columns of a block of arrows: how wide the left one is, and where modifiers start.

    `both`: there are arrows of both directions, and their shafts stand in one column.
    """

    left: int
    modifiers: int
    both: bool


class Printer:
    """Puts the words of one file onto a page."""

    def __init__(self) -> None:
        self._page = Page()

    def text(self, module: Node, end: Word) -> str:
        """The file in canonical form."""
        for index, item in enumerate(nodes_of(module.parts)):
            self._page.row(apart=index > 0)
            self._item(item)
        self._page.end(end)
        return self._page.text()

    def _item(self, item: Node) -> None:
        match item.rule:
            case "version":
                self._flat([item])
            case "limits" | "guard":
                self._block(item, self._counts)
            case "value_map" | "fields":
                self._block(item, self._arrows)
            case "activities":
                self._block(item, self._activities)
            case "sync":
                self._block(item, self._clauses)
            case "test":
                self._block(item, self._statements)

    # -- blocks ---------------------------------------------------------------------------------

    def _block(self, node: Node, body: Callable[[Rows], None], gap: int = 1) -> None:
        """Words, `{`, one thing a row, `}`."""
        assert node.braces is not None  # noqa: S101 - by the grammar
        at, _, _ = node.braces
        self._flat(node.parts[:at], gap)
        self._braces(node, body)

    def _braces(self, node: Node, body: Callable[[Rows], None]) -> None:
        assert node.braces is not None  # noqa: S101 - by the grammar
        at, opening, closing = node.braces
        rows = nodes_of(node.parts[at:])
        self._page.put(opening)
        if not rows and not opening.after and not closing.before:
            self._page.put(closing)
            return
        self._page.open()
        body(rows)
        self._page.close(closing)

    def _clauses(self, rows: Rows) -> None:
        for row in rows:
            self._page.row()
            match row.rule:
                case "toggle":
                    self._toggle(row)
                case "fields_block":
                    self._block(row, self._arrows)
                case "activities_block":
                    self._block(row, self._activities)
                case _:
                    self._flat([row])

    def _toggle(self, row: Node) -> None:
        self._flat(row.parts[:1])
        for option in _in_order(nodes_of(row.parts[1:]), _TOGGLE_OPTIONS):
            self._option(option, 1)

    def _option(self, option: Node, gap: int, tail: int = 0) -> None:
        """An option or modifier; `tail` is the width of what must follow on the line."""
        if option.rule != "when":
            self._flat([option], gap)
            return
        when, condition = option.parts
        self._flat([when], gap)
        self._condition(condition, 1, tail)

    def _counts(self, rows: Rows) -> None:
        """Budgets and bounds: names in columns, then numbers, right-aligned."""
        tidy = [row.words for row in rows if not is_loose(row.words)]
        names = [column(cells(w[n].text) for w in tidy if w[n].kind != "NUMBER") for n in (0, 1)]
        widest = column(cells(_number(w).text) for w in tidy if w[-1].text != "%")
        for row in rows:
            self._page.row()
            number = _number(row.words)
            at = row.words.index(number)
            pad = 0
            for width, name in zip(names, row.words[:at], strict=False):
                self._page.put(name, 1 + pad)
                pad = max(width - cells(name.text), 0)
            share = row.words[-1].text == "%"
            pad += 0 if share else max(widest - cells(number.text), 0)
            self._page.put(number, 1 + pad)
            self._flat(row.words[at + 1 :], 0 if share else 1)

    # -- lines ----------------------------------------------------------------------------------

    def _arrows(self, rows: Rows) -> None:
        """Field lines, or the pairs of a map."""
        lines = [row for row in rows if row.rule in ("field_line", "value_pair")]
        columns = _columns(lines)
        for row in rows:
            self._page.row()
            if row.rule in ("field_line", "value_pair"):
                self._arrow(row, columns)
            else:
                self._flat([row])

    def _arrow(self, row: Node, columns: _Columns) -> None:
        left, arrow, right = row.parts[:3]
        assert isinstance(arrow, Word)  # noqa: S101 - by the grammar
        before, after = 2, 1
        if not is_loose(words_of(row.parts[:3])) and width_of([left]) <= columns.left:
            before += columns.left - width_of([left]) + (columns.both and arrow.text == "->")
            after += columns.both and arrow.text == "<-"
        self._flat([left])
        self._page.put(arrow, before)
        self._flat([right], after)
        at = width_of([left]) + before + len(arrow.text) + after + width_of([right])
        gap = max(columns.modifiers - at, 2)
        if row.rule == "value_pair":
            self._flat(row.parts[3:], gap)
            return
        for modifier in _in_order(nodes_of(row.parts[3:]), _MODIFIERS):
            self._option(modifier, gap)
            gap = 2

    def _activities(self, rows: Rows) -> None:
        kinds = [row.parts[:1] for row in rows if row.rule == "activity_line"]
        widest = column(width_of(kind) for kind in kinds)
        for row in rows:
            self._page.row()
            if row.rule == "activity_line":
                self._activity(row, widest)
            else:
                self._flat([row])

    def _activity(self, row: Node, widest: int) -> None:
        stop = row.braces[0] if row.braces else len(row.parts)
        self._flat(row.parts[:1])
        gap = max(widest - width_of(row.parts[:1]), 0) + 2
        options = _in_order(nodes_of(row.parts[1:stop]), _ACTIVITY_OPTIONS, at_end=not row.braces)
        for index, option in enumerate(options):
            if index:
                gap = 2 if option.rule in ("title", "title_from", "when") else 1
            self._option(option, gap, 2 if row.braces else 0)
        if row.braces:
            self._braces(row, self._arrows)

    # -- conditions -----------------------------------------------------------------------------

    def _condition(self, node: Part, gap: int, tail: int = 0) -> None:
        if isinstance(node, Word) or (is_flat(node) and self._fits(node, gap, tail)):
            self._flat([node], gap)
            return
        match node.rule:
            case "all_of" | "any_of":
                self._chain(node, gap, tail)
            case "all_block" | "any_block":
                self._block(node, self._terms, gap)
            case "negated":
                self._flat(node.parts[:1], gap)
                self._condition(node.parts[1], 1, tail)
            case "grouped":
                self._flat(node.parts[:1], gap)
                self._page.indent += INDENT
                self._condition(node.parts[1], 0, tail + 1)
                self._page.indent -= INDENT
                self._flat(node.parts[2:], 0)
            case _:
                self._flat([node], gap)

    def _chain(self, node: Node, gap: int, tail: int) -> None:
        """`a and b and c`: where it is too long, each `and` starts a line."""
        spread = not self._fits(node, gap, tail)
        for part in node.parts:
            if isinstance(part, Word):
                if spread:
                    self._page.carry_on()
                self._page.put(part)
            else:
                inner = INDENT if part.rule in _CHAINS else 0
                self._page.indent += inner
                self._condition(part, gap, tail if part is node.parts[-1] else 0)
                self._page.indent -= inner
            gap = 1

    def _terms(self, rows: Rows) -> None:
        for row in rows:
            self._page.row()
            self._condition(row, 0)

    def _fits(self, node: Node, gap: int, tail: int) -> bool:
        return self._page.fits(width_of([node]) + tail, gap)

    # -- tests ----------------------------------------------------------------------------------

    def _statements(self, rows: Rows) -> None:
        for row in rows:
            self._page.row()
            keyword, *rest = row.parts
            self._flat([keyword])
            gap = _STATEMENT - width_of([keyword]) + 1
            for part in rest:
                if isinstance(part, Node) and part.rule == "record":
                    self._record(part, gap)
                else:
                    self._flat([part], gap)
                gap = 1

    def _record(self, node: Node, gap: int) -> None:
        if is_flat(node) and self._fits(node, gap, 0):
            self._flat([node], gap)
        else:
            self._block(node, self._values, gap)

    def _values(self, rows: Rows) -> None:
        for row in rows:
            self._page.row()
            self._flat([row])

    # -- words ----------------------------------------------------------------------------------

    def _flat(self, parts: Sequence[Part], gap: int = 1) -> None:
        """Word after word on one line, unless comments break it."""
        for space, word in spaced(parts, gap):
            self._page.put(word, space)


def _number(words: Sequence[Word]) -> Word:
    return next(word for word in words if word.kind == "NUMBER")


def _columns(lines: Rows) -> _Columns:
    tidy = [line.parts for line in lines if not is_loose(words_of(line.parts[:3]))]
    # A function call is longer than the names around it, and stands out rather than push them.
    named = [parts for parts in tidy if nodes_of(parts)[0].rule != "call"] or tidy
    arrows = {part.text for line in lines for part in line.parts[1:2] if isinstance(part, Word)}
    both = "<->" in arrows or len(arrows) > 1
    left = column(width_of(parts[:1]) for parts in named)
    right = column(width_of(parts[2:3]) for parts in tidy)
    return _Columns(left, left + 2 + (3 if both else 2) + 1 + right + 2, both)


def _in_order(options: list[Node], order: Sequence[str], at_end: bool = True) -> list[Node]:
    """Options in their canonical order, or as they stand if comments between them say so.

    `at_end`: they end their row, so that a comment after the last one is the row's.
    """
    ordered = sorted(options, key=lambda option: order.index(option.rule.removesuffix("_from")))
    if ordered == options:
        return options
    words = words_of(options)
    if any(w.before for w in words) or any(w.after for w in words[: -1 if at_end else None]):
        return options
    comment, words[-1].after = words[-1].after, ""
    ordered[-1].words[-1].after = comment
    return ordered
