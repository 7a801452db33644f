"""Walks the plan graph: it knows order, batches and failure; the rooms know the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo

from dsl.program import Program, Translation
from dsl.schema import Side
from engine.batch import batches_of
from engine.chosen import Chosen
from engine.context import Context
from engine.graph import Graph, build, order, stage_maps
from engine.ledger import LogRow, Pending
from engine.mapping import Mapping
from engine.model import Cursor, Direction
from engine.observe import observe
from engine.recover import recover
from engine.stages import ensure_stages

__all__ = ["Interpreter", "Progress", "Stopped"]

_ROUNDS = 3
_PAGE = 1000


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
        program: Program,
        context: Context,
        zone: tzinfo,
        stop: Callable[[], bool] = lambda: False,
        progress: Progress = lambda _step, _count: None,
    ) -> None:
        self.graph: Graph = build(program)
        self._context = context
        self._stop = stop
        self._progress = progress
        self._batches = batches_of(program, context, zone)
        self._maps: dict[str, Translation] = {
            via.name: via for pair in program.pairs for _, via in stage_maps(pair)
        }
        self._seen = _Seen()

    def run(self, only: frozenset[str] | None = None) -> None:
        """One cycle over all pairs, or those named (`Lead<->prospect`)."""
        recover(
            {name: b.mapping for name, b in self._batches.items()},
            {name: b.layout for name, b in self._batches.items()},
            self._context,
        )
        resolving = []
        for node in order(self.graph):
            step = self.graph.nodes[node]
            if only is not None and not self._concerns(node, only):
                continue
            match step["kind"]:
                case "observe":
                    self._stream(node, step["type"], Direction(step["direction"]))
                case "stages":
                    ensure_stages(self._maps[node.removeprefix("stages ")], self._context)
                case "resolve":
                    resolving.append((node, step["type"]))
        self._settle(resolving)

    def _concerns(self, node: str, only: frozenset[str]) -> bool:
        """Whether a step is one of these pairs', or makes stages for one."""
        if self.graph.nodes[node]["kind"] != "stages":
            return self.graph.nodes[node]["type"] in only
        return any(self.graph.nodes[after]["type"] in only for after in self.graph[node])

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
        store, ledger = context.stores[side], context.ledger
        for page, cursor, since in observe(batches.mapping, side, store, ledger):
            self._check()
            count += len(page.rows)
            self._progress(node, count)
            logs = [_polled(batches.mapping, side, count, since)] if page.done else []
            batches.process(side, page.rows, page.gone, cursor, logs)
        self._seen.written[pair, side] = others

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
                self._pending(node, pair)
                self._reread(node, pair)
            if sum(self._context.tally.counts.values()) == before:
                return

    def _pending(self, node: str, pair: str) -> None:
        """Decide again on records whose reference is linked by now, or whose refusal may pass."""
        batches, context = self._batches[pair], self._context
        after = ("", "")
        while ready := context.ledger.ready(pair, context.digest, context.started, _PAGE, after):
            after = (str(ready[-1].side), str(ready[-1].record_id))
            for side in Side:
                ids = [p.record_id for p in ready if p.side is side and self._wanted(p)]
                if not ids:
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
