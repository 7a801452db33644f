"""Walks the plan graph: it knows order, batches and failure; the rooms know the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from dsl.schema import Side
from dsl.values import stamp
from engine.batch import batches_of
from engine.budgeted import is_near
from engine.chosen import Chosen
from engine.compiled import Compiled
from engine.context import Context
from engine.graph import order
from engine.ledger import LogRow, Pending
from engine.mapping import Mapping
from engine.model import Cursor, Direction
from engine.observe import Observed, observe, portions
from engine.ports import BudgetSpent
from engine.recover import recover
from engine.stages import ensure_stages
from engine.sweeping import next_in_turn, not_there
from engine.tracing import each_in_span, span
from engine.whose import WAITS_FOR

__all__ = ["Interpreter", "Progress", "Stopped"]

_ROUNDS = 3
_PAGE = 1000
_PORTION = 200  # of a page, where a budget is nearly spent: one call of each kind will do


class Stopped(Exception):
    """The run was asked to stop, and did between two batches; the next one goes on from there."""


#: Told after each page: the step's name and how many records it has read so far.
Progress = Callable[[str, int], None]


@dataclass
class _Seen:
    """How much other pairs had written when a pair's side was last read."""

    written: dict[tuple[str, Side], int] = field(default_factory=dict)


class Interpreter:
    """Runs one cycle of a program.

    `stop` is asked between batches; when it says yes, `Stopped` is raised and the ledger holds
    everything done so far. Errors of a store pass through, with the same promise.
    """

    def __init__(
        self,
        compiled: Compiled,
        context: Context,
        stop: Callable[[], bool] = lambda: False,
        progress: Progress = lambda _step, _count: None,
    ) -> None:
        self.graph = compiled.graph
        self._context = context
        self._stop = stop
        self._progress = progress
        self._batches = batches_of(compiled, context)
        self._maps = compiled.stages
        self._seen = _Seen()

    def run(
        self,
        only: frozenset[str] | None = None,
        steps: frozenset[tuple[str, Direction]] | None = None,
    ) -> None:
        """One cycle over all pairs, those named (`Lead<->prospect`), or these `steps` of them."""
        recover(
            {name: b.mapping for name, b in self._batches.items()},
            {name: b.layout for name, b in self._batches.items()},
            self._context,
        )
        nodes = [n for n in order(self.graph) if only is None or self._concerns(n, only)]
        nodes = [n for n in nodes if steps is None or self._is_of(n, steps)]
        resolving = [(n, self._type(n)) for n in nodes if self._kind(n) == "resolve"]
        whole = only is None and self._context.chosen is None
        if self._context.ledger.calls.waiting():
            # What was decided goes before what is yet to be read.
            self._make_stages([n for n in nodes if self._kind(n) == "stages"])
            for node, pair in resolving:
                self._afford(node, partial(self._pending, node, pair))
        nodes = self._in_turn(nodes) if whole else nodes
        for node in nodes:
            self._step(node)
        self._settle(resolving)
        if whole:
            self._stall([n for n in nodes if self._kind(n) == "observe"])

    def _in_turn(self, nodes: list[str]) -> list[str]:
        """The steps, with those first that the last run left for want of calls.

        Otherwise a budget that is spent each time by the first steps would never come to the last.
        """
        waited = [each.step for each in self._context.ledger.calls.stalled()]
        first = [n for n in waited if n in nodes and self._kind(n) == "observe"]
        if not first:
            return nodes
        stages = [n for n in nodes if self._kind(n) == "stages"]
        rest = [n for n in nodes if n not in first and n not in stages]
        return [*stages, *first, *rest]

    def _stall(self, read: list[str]) -> None:
        """Keep what waits for calls; a step that was first and waits again has had its turn."""
        stalled = self._context.waits.stalled()
        if read and stalled and read[0] in self._context.waits.steps:
            stalled.sort(key=lambda each: each.step == read[0])
        self._context.ledger.calls.stall(stalled)

    def _kind(self, node: str) -> str:
        return str(self.graph.nodes[node]["kind"])

    def _type(self, node: str) -> str:
        return str(self.graph.nodes[node]["type"])

    def _step(self, node: str) -> None:
        step = self.graph.nodes[node]
        match step["kind"]:
            case "observe":
                direction = Direction(step["direction"])
                with span("step", pair=step["type"], direction=direction.value):
                    self._afford(node, partial(self._stream, node, step["type"], direction))
                    self._afford(node, partial(self._sweep, step["type"], direction.source))
            case "stages":
                self._make_stages([node])

    def _make_stages(self, nodes: list[str]) -> None:
        for node in nodes:
            via = self._maps[node.removeprefix("stages ")]
            self._afford(node, partial(ensure_stages, via, self._context))

    def _afford(self, node: str, work: Callable[[], None]) -> None:
        """Do a step, or as much of it as the budgets let through."""
        try:
            work()
        except BudgetSpent as spent:
            self._context.waits.note(spent, node)
            self._check()  # it may have been waited for until somebody asked to stop

    def _concerns(self, node: str, only: frozenset[str]) -> bool:
        """Whether a step is one of these pairs', or makes stages for one."""
        if self.graph.nodes[node]["kind"] != "stages":
            return self.graph.nodes[node]["type"] in only
        return any(self.graph.nodes[after]["type"] in only for after in self.graph[node])

    def _is_of(self, node: str, steps: frozenset[tuple[str, Direction]]) -> bool:
        """Whether a step is one of these; what has no direction goes with either."""
        direction = self.graph.nodes[node].get("direction")
        return direction is None or (self._type(node), Direction(direction)) in steps

    def _stream(self, node: str, pair: str, direction: Direction) -> None:
        """Observe a side and take each page through decide, act and commit."""
        batches, side = self._batches[pair], direction.source
        context = self._context
        others = context.written_by_others(batches.mapping, side)
        count = 0
        if context.chosen is not None:
            self._look_at(context.chosen, node, pair, side)
            self._seen.written[pair, side] = others
            return
        pages = self._observed(batches.mapping, side)
        for page, cursor, since, overlap in each_in_span("scan", pages, side=side.value):
            self._check()
            count += len(page.rows)
            self._progress(node, count)
            logs = [_polled(batches.mapping, side, count, since)] if page.done else []
            batches.process(side, page.rows, page.gone, cursor, logs, overlap=overlap)
        self._seen.written[pair, side] = others

    def _sweep(self, pair: str, side: Side) -> None:
        """Look for deletes that the store's scans do not tell of."""
        batches, context = self._batches[pair], self._context
        store = context.stores[side]
        if context.chosen is not None or side.other in context.waits.spent:
            return
        ids = next_in_turn(batches.mapping, side, store, context.ledger)
        if not ids:
            return
        if gone := not_there(batches.mapping, side, store, ids):
            batches.process(side, [], gone, again=True)
        context.ledger.turns.pass_(pair, side, ids[-1])

    def _observed(self, mapping: Mapping, side: Side) -> Iterator[Observed]:
        """The pages to be read; none more once what they lead to could not be written."""
        stores, spent = self._context.stores, self._context.waits.spent
        if side.other in spent:
            raise spent[side.other]
        for observed in observe(
            mapping, side, stores[side], self._context.ledger, stores[side.other].page_size
        ):
            near = is_near(stores, len(observed.page.rows))
            for portion in portions(observed, _PORTION) if near else (observed,):
                if side.other in spent:
                    raise spent[side.other]
                yield portion

    def _look_at(self, chosen: Chosen, node: str, pair: str, side: Side) -> None:
        """Take the chosen records through; the cursor stays: others are still to be read."""
        batches = self._batches[pair]
        mapping, store = batches.mapping, self._context.stores[side]
        count = 0
        for page in chosen.pages(pair, side, mapping.type_name(side), mapping.columns[side], store):
            self._check()
            count += len(page.rows)
            self._progress(node, count)
            batches.process(side, page.rows, page.gone, again=True)

    def _settle(self, resolving: list[tuple[str, str]]) -> None:
        """Come back to what had to wait, until nothing more comes of it."""
        for _ in range(_ROUNDS):
            before = sum(self._context.tally.counts.values())
            for node, pair in resolving:
                self._check()
                self._afford(node, partial(self._pending, node, pair))
                self._afford(node, partial(self._reread, node, pair))
            if sum(self._context.tally.counts.values()) == before:
                return

    def _pending(self, node: str, pair: str) -> None:
        """Decide again on records whose reference is linked by now, or whose refusal may pass."""
        batches, context = self._batches[pair], self._context
        if batches.mapping.pair.label:
            context.ledger.waits.forget(pair, stamp(context.clock.now() - WAITS_FOR))
        after = ("", "")
        size = _PORTION if is_near(context.stores, _PAGE) else _PAGE
        while ready := context.ledger.waits.ready(
            pair, context.digest, context.started, size, after
        ):
            after = (str(ready[-1].side), str(ready[-1].record_id))
            for side in Side:
                ids = [p.record_id for p in ready if p.side is side and self._wanted(p)]
                if not ids or side.other in context.waits.spent:
                    continue
                type_name = batches.mapping.type_name(side)
                columns = batches.mapping.columns[side]
                rows = context.stores[side].fetch(type_name, columns, ids)
                self._progress(node, len(rows))
                there = {row[0] for row in rows}
                gone = [record for record in ids if record not in there]
                batches.process(side, rows, gone, again=True)

    def _wanted(self, pending: Pending) -> bool:
        chosen = self._context.chosen
        return chosen is None or chosen.has(pending.pair, pending.side, pending.record_id)

    def _reread(self, node: str, pair: str) -> None:
        """Read a side again that other pairs have written to since this pair read it."""
        for direction in Direction:
            key = (pair, direction.source)
            if key not in self._seen.written:
                continue
            mapping = self._batches[pair].mapping
            others = self._context.written_by_others(mapping, direction.source)
            if others > self._seen.written[key]:
                self._stream(node, pair, direction)

    def _check(self) -> None:
        if self._stop():
            raise Stopped


def _polled(mapping: Mapping, side: Side, count: int, since: Cursor | None) -> LogRow:
    status = "completed poll" if side is Side.SALESFORCE else "completed push scan"
    start = "from the beginning" if since is None else f"changed since {since.stamp}"
    return LogRow(
        status,
        f"{count} {'record' if count == 1 else 'records'} read, {start}",
        mapping.type_name(Side.OUTREACH),
        None,
        mapping.type_name(Side.SALESFORCE),
        None,
    )
