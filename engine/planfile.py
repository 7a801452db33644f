"""A saved plan: a TOML file that a person reviews and a run carries out, exactly and once."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import msgspec

from dsl.program import Program
from dsl.schema import Side
from dsl.values import stamp
from engine.case import Case, Change
from engine.compile import is_unset
from engine.cycle import Summary, change_as_json
from engine.model import SIDES, Action
from engine.ports import Store
from engine.rehearsal import is_provisional

__all__ = ["End", "Entry", "Plan", "PlanError", "PlanFile", "entry_of", "read", "schema_digest"]

_VERSION = 1
_HEAD = """\
# A plan of crosswalk. `crosswalk run --plan` does exactly what stands here, once, and refuses to
# if any of the values that it rests on have moved. A key that is not there stands for no value.
"""


class PlanError(Exception):
    """The file is no plan, or one of another version; the message says what to do."""


class End(msgspec.Struct, omit_defaults=True):
    """One side's record as the decision saw it; without an id it is yet to be made."""

    type: str
    id: str | int | None = None
    stamp: str | None = None
    values: dict[str, Any] = {}


class Field(msgspec.Struct, omit_defaults=True):
    """One field to be written; `base` is what each side held when both last agreed."""

    source: str
    target: str
    before: Any = None
    after: Any = None
    base: dict[str, Any] = {}
    conflict: dict[str, Any] | None = None


class Entry(msgspec.Struct, omit_defaults=True):
    """One change with what it rests on; `seen` is the side whose record led to it."""

    action: str
    direction: str
    pair: str
    reason: str
    rule: str
    seen: str | None = None
    salesforce: End | None = None
    outreach: End | None = None
    fields: list[Field] = []

    def end(self, side: Side) -> End | None:
        return self.salesforce if side is Side.SALESFORCE else self.outreach


class Plan(msgspec.Struct):
    """A plan as read from its file; `calls` is what carrying it out takes, its check included."""

    version: int
    plan: str
    made_at: str
    rules: str
    schema: str
    counts: dict[str, int]
    calls: dict[str, int]
    types: list[str] = []
    changes: list[Entry] = []


def entry_of(change: Change, case: Case | None) -> Entry:
    """What a plan keeps of a change."""
    told = change_as_json(change)
    fields = [
        Field(
            source=f["source"],
            target=f["target"],
            before=_tidy(f["before"]),
            after=_tidy(f["after"]),
            base=_bases(case, number.line) if case is not None else {},
            conflict=_tidy(f.get("conflict")),
        )
        for f, number in zip(told["fields"], change.fields, strict=True)
    ]
    left, right = (_end(change, case, side) for side in SIDES)
    pair = change.pair
    seen = case.seen.value if case is not None and case.seen else None
    words = {key: str(told[key]) for key in ("action", "direction", "reason", "rule")}
    return Entry(**words, pair=pair, seen=seen, salesforce=left, outreach=right, fields=fields)


def _end(change: Change, case: Case | None, side: Side) -> End | None:
    if side not in change.types:
        return None
    record = change.id(side)
    end = End(change.types[side], None if is_provisional(record) else record)
    row = case.rows.get(side) if case is not None else None
    if row is None or case is None or is_provisional(row[0]):
        return end
    columns = zip(case.mapping.columns[side], row[2:], strict=True)
    values = {path: _tidy(value) for path, value in columns if value is not None}
    return End(end.type, end.id, row[1], values)


def _bases(case: Case, line: int) -> dict[str, Any]:
    """What both sides last agreed on in a line; a side that does not count has nothing there."""
    if case.bases is None or case.mapping.lines[line].line.once:
        return {}
    found = {side.value: case.base(side, line) for side in SIDES}
    return {side: _tidy(v) for side, v in found.items() if v is not None and not is_unset(v)}


def _tidy(value: Any) -> Any:
    """A value as TOML can hold it, which has no null and tells integers from decimals."""
    match value:
        case dict():
            return {str(k): _tidy(v) for k, v in value.items() if v is not None and v != ""}
        case list() | tuple():
            return [_tidy(v) for v in value if v is not None]
        case "":
            return None
        case _:
            return value


# -- what the file stands and falls with --------------------------------------------------------


def schema_digest(program: Program, stores: Mapping[Side, Store]) -> str:
    """A digest of the types that the rules sync, as both systems describe them now."""
    digest = hashlib.sha256()
    names = {(side, pair.type(side).name) for pair in program.pairs for side in SIDES}
    for side, name in sorted(names):
        described = stores[side].describe(name)
        fields = [] if described is None else sorted(described.fields.values(), key=_name)
        told = [(f"{side} {name}", described is not None), [asdict(f) for f in fields]]
        digest.update(msgspec.json.encode(told, order="deterministic"))
    return digest.hexdigest()


def _name(field: Any) -> str:
    return str(field.name)


# -- the file -----------------------------------------------------------------------------------


class PlanFile:
    """Takes a plan's changes one by one and writes the file at its end, whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        spool = tempfile.TemporaryFile("w+", encoding="utf-8")
        self._spool: IO[str] = self._stack.enter_context(spool)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def add(self, change: Change, case: Case | None) -> None:
        """Keep one change; what a condition left alone is no part of a plan."""
        if change.action is not Action.SKIP:
            self._spool.write("\n" + _toml({"changes": [entry_of(change, case)]}))

    def write(
        self,
        summary: Summary,
        rules: str,
        schema: str,
        types: Iterable[str],
        now: datetime,
        forecast: Callable[[Plan], dict[str, int]],
    ) -> dict[str, int]:
        """Write the file with its `forecast`: the calls that carrying it out takes, by side.

        Returns that forecast. Raises `PlanError` if the file cannot be written.
        """
        plan = f"p-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
        head: dict[str, Any] = {
            "version": _VERSION,
            "plan": plan,
            "made_at": stamp(now),
            "rules": rules,
            "schema": schema,
            "types": sorted(types),
            "counts": {k: n for k, n in summary.counts.items() if n and k != "skipped"},
            "calls": summary.calls,
        }
        self._spool.seek(0)
        whole = msgspec.toml.decode(_toml(head) + self._spool.read(), type=Plan)
        calls = head["calls"] = forecast(whole)
        partial = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        self._spool.seek(0)
        try:
            with partial.open("w", encoding="utf-8") as file:
                file.write(_HEAD + "\n" + _toml(head))
                shutil.copyfileobj(self._spool, file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise PlanError(
                f"the plan cannot be written to {self._path}: {error.strerror}"
            ) from error
        return calls


def _toml(value: Mapping[str, Any]) -> str:
    import tomli_w  # noqa: PLC0415 - only a plan that is saved pays for it

    return tomli_w.dumps(_tidy(msgspec.to_builtins(value)))


def read(path: Path) -> Plan:
    """The plan in a file. Raises `PlanError` with a sentence for the user."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PlanError(f"the plan {path} cannot be read: {error.strerror}") from error
    try:
        plan = msgspec.toml.decode(data, type=Plan)
    except (msgspec.MsgspecError, ValueError) as error:
        raise PlanError(
            f"{path} is not a plan of crosswalk ({error}): `crosswalk plan --out` makes one"
        ) from error
    if plan.version != _VERSION:
        raise PlanError(
            f"{path} is a plan of version {plan.version}, and this crosswalk knows version"
            f" {_VERSION}: make a new one with `crosswalk plan --out`"
        )
    return plan
