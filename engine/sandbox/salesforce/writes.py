"""Writes records: each refused or done by itself, or all or none; with all that a vendor adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from engine.model import Outcome, Result, Write
from engine.sandbox.salesforce.box import Box
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.house_rules import objection
from engine.stores.local.org import TakeBack
from engine.stores.local.writing import write_within

__all__ = ["Verdict", "Wanted", "carry_out"]

_LOCKED = "unable to obtain exclusive access to this record or 1 records"
#: What a single record's refusal is answered with, other than 400.
_STATUSES = {
    "ENTITY_IS_DELETED": 404,
    "INSUFFICIENT_ACCESS_OR_READONLY": 403,
    "NOT_FOUND": 404,
    "SERVER_UNAVAILABLE": 503,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One record to be created (`id` is None), updated or deleted."""

    type: str
    id: str | None
    values: dict[str, Any]
    delete: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one record: done, or refused with a code."""

    id: str | None
    created: bool = False
    code: str = ""
    message: str = ""
    fields: tuple[str, ...] = ()
    more: dict[str, Any] | None = None
    missing: bool = False

    @classmethod
    def of(cls, error: ApiError, record: str | None = None) -> Verdict:
        """What an error says of one record of several."""
        more = dict(error.more) or None
        return cls(record, False, error.code, error.message, error.fields or (), more)

    @property
    def done(self) -> bool:
        return not self.code

    def as_json(self, upserted: bool = False) -> dict[str, Any]:
        """The record's result in a collection."""
        if not self.done:
            error = {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}
            return {"success": False, "errors": [error | (self.more or {})]}
        found: dict[str, Any] = {"id": self.id, "success": True, "errors": []}
        return {**found, "created": self.created} if upserted else found

    def error(self) -> ApiError:
        """The refusal of a request that was about this record alone."""
        if self.missing:
            return ApiError(404, "NOT_FOUND", "The requested resource does not exist")
        status = _STATUSES.get(self.code, 400)
        fields = None if self.more else self.fields
        return ApiError(status, self.code, self.message, fields, self.more)


_UNDONE = Verdict(
    None,
    False,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone"
    " header",
)


def carry_out(
    box: Box,
    wanted: Sequence[Wanted | Verdict],
    all_or_none: bool = False,
    save_duplicates: bool = False,
) -> list[Verdict]:
    """Write; what was refused before (a `Verdict`) stays so. One verdict each, in order."""
    verdicts: list[Verdict] = []
    with box.file.transaction() as moment:
        verdicts = _written(box, _disturbed(box, wanted), moment, save_duplicates)
        if all_or_none and not all(v.done for v in verdicts):
            verdicts = [_UNDONE if v.done else v for v in verdicts]
            raise TakeBack
    return verdicts


def _disturbed(box: Box, wanted: Sequence[Wanted | Verdict]) -> Sequence[Wanted | Verdict]:
    """With locks, and with half of a collection refused, where that happens."""
    odds = box.faults.odds
    if not odds.get("lock") and not odds.get("half"):
        return wanted
    half = len(wanted) > 1 and box.faults.happens("half")
    found: list[Wanted | Verdict] = []
    for at, each in enumerate(wanted):
        if isinstance(each, Wanted) and box.faults.happens("lock"):
            shown = f": {each.id}" if each.id else ""
            found.append(Verdict(each.id, False, "UNABLE_TO_LOCK_ROW", _LOCKED + shown))
        elif isinstance(each, Wanted) and half and at % 2:
            message = "The server is temporarily unavailable"
            found.append(Verdict(each.id, False, "SERVER_UNAVAILABLE", message))
        else:
            found.append(each)
    return found


def _written(
    box: Box, wanted: Sequence[Wanted | Verdict], moment: str, save_duplicates: bool
) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for type_name, run in groupby(wanted, key=lambda w: getattr(w, "type", None)):
        if type_name is None:
            verdicts += [each for each in run if isinstance(each, Verdict)]
            continue
        batch = [each for each in run if isinstance(each, Wanted)]
        if type_name in box.setup.read_only:
            verdicts += [_read_only(each) for each in batch]
        elif type_name in box.setup.duplicates or type_name in box.setup.validations:
            for each in batch:
                error = objection(
                    box, each.type, each.id, each.values, each.delete, save_duplicates
                )
                if error is None:
                    verdicts += _write(box, type_name, [each], moment)
                else:
                    verdicts.append(Verdict.of(error, each.id))
        else:
            verdicts += _write(box, type_name, batch, moment)
    return verdicts


def _read_only(wanted: Wanted) -> Verdict:
    if wanted.id is None:
        message = f"entity type cannot be inserted: {wanted.type}"
        return Verdict(None, False, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)
    message = "insufficient access rights on object id"
    return Verdict(wanted.id, False, "INSUFFICIENT_ACCESS_OR_READONLY", message)


def _write(box: Box, type_name: str, batch: Sequence[Wanted], moment: str) -> list[Verdict]:
    writes = [Write(each.id, each.values, each.delete) for each in batch]
    table = box.file.table(type_name)
    before = box.late.before(table, writes)
    results = write_within(box.file, table, writes, moment)
    box.late.after(table, before, results)
    return [_verdict(write, result) for write, result in zip(writes, results, strict=True)]


def _verdict(write: Write, result: Result) -> Verdict:
    record = None if result.id is None else str(result.id)
    if result.outcome is Outcome.DONE:
        return Verdict(record, write.id is None)
    missing = result.outcome is Outcome.GONE and result.code != "ENTITY_IS_DELETED"
    return replace(
        Verdict(record, False, result.code, result.message, result.fields), missing=missing
    )
