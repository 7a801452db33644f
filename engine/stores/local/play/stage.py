"""Does acts one after another, each on the org that it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from dsl.schema import ObjectType, Side
from engine.model import RecordId
from engine.play.script import Act
from engine.ports import StoreError
from engine.stores.local.acts import typed_values
from engine.stores.local.play import mails, sequences, talks, tasks
from engine.stores.local.play.scene import Scene, nothing
from engine.stores.local.store import LocalOrg

__all__ = ["Done", "Failed", "Stage"]

_DEEDS: Mapping[str, Callable[[Scene, Act], None]] = {
    "send": mails.send,
    "open": mails.open_,
    "click": mails.click,
    "reply": mails.reply,
    "bounce": mails.bounce,
    "receive": mails.receive,
    "mail": mails.mail,
    "call": talks.call,
    "text": talks.text,
    "text from": talks.text_from,
    "book": talks.book,
    "move": talks.move,
    "cancel": talks.cancel,
    "task": tasks.task,
    "complete": tasks.complete,
    "complete for": tasks.complete_for,
    "sequence": sequences.make_sequence,
    "add": sequences.add,
    "advance": sequences.advance,
    "pause": sequences.pause,
    "resume": sequences.resume,
    "finish": sequences.finish,
    "opt out": sequences.opt_out,
}
_KEYS = ("Email", "email", "emails")


@dataclass(frozen=True, slots=True)
class Done:
    """An act that was done, and the records that it made or changed: side, type and id."""

    act: Act
    records: tuple[tuple[Side, str, RecordId], ...]


class Failed(StoreError):
    """An act was not done, for what its org says; those before it stay done."""

    def __init__(self, act: Act, reason: StoreError) -> None:
        super().__init__(str(reason))
        self.act, self.reason = act, reason


class Stage:
    """The orgs that acts are done on; `acting` is the user who does them where none is named."""

    def __init__(self, orgs: Mapping[Side, LocalOrg], acting: str | None = None) -> None:
        self._orgs, self._acting = orgs, acting

    def play(self, acts: Iterable[Act]) -> Iterator[Done]:
        """Do acts in their order, each as it is asked for. Raises `Failed`."""
        for act in acts:
            try:
                yield Done(act, tuple(self.do(act)))
            except StoreError as error:
                raise Failed(act, error) from None

    def do(self, act: Act) -> list[tuple[Side, str, RecordId]]:
        """Do one act; the records that it made or changed. Raises `Refused` or `StoreError`."""
        if act.name == "wait":
            return self._wait(act.get("duration"))
        if act.name in _DEEDS:
            return self._deed(act)
        if act.name == "convert":
            return self._convert(act)
        org, type_ = self._type(act.get("type"))
        record = _record(org, type_, act.get("record"))
        if act.name == "edit":
            record = org.edit(type_.name, record, typed_values(org, type_, act.get("pairs")))
        elif act.name == "delete":
            record = org.delete(type_.name, record)
        else:
            record = org.merge(type_.name, _record(org, type_, act.get("master")), record)
        return [(org.side, type_.name, record)]

    def _deed(self, act: Act) -> list[tuple[Side, str, RecordId]]:
        file = self._org(Side.OUTREACH).file
        with file.transaction() as moment:
            scene = Scene(file, moment, self._acting)
            _DEEDS[act.name](scene, act)
        return [(Side.OUTREACH, name, record) for name, record in scene.records]

    def _convert(self, act: Act) -> list[tuple[Side, str, RecordId]]:
        org, type_ = self._type("Lead")
        made = org.convert(
            str(_record(org, type_, act.get("record"))), opportunity=act.get("opportunity")
        )
        return [(org.side, name, record) for name, record in made.items() if record is not None]

    def _wait(self, time: timedelta) -> list[tuple[Side, str, RecordId]]:
        for org in self._orgs.values():
            org.file.move_clock(time)
        return []

    def _org(self, side: Side) -> LocalOrg:
        if side not in self._orgs:
            raise StoreError(f"this act needs a local {side.title()} org, and the project has none")
        return self._orgs[side]

    def _type(self, word: str) -> tuple[LocalOrg, ObjectType]:
        """The type that a word names, in any case; a Salesforce type before one of Outreach."""
        for side in Side:
            for name in (word, word[:1].upper() + word[1:]):
                found = self._orgs[side].describe(name) if side in self._orgs else None
                if found is not None:
                    return self._orgs[side], found
        raise StoreError(f"neither org has a type `{word}`")


def _record(org: LocalOrg, type_: ObjectType, given: str) -> RecordId:
    """The record of an id or an e-mail address. Raises `Refused`."""
    if "@" not in given:
        return org.file.record_id(given)
    key = next((name for name in _KEYS if name in type_.fields), None)
    found = org.find(type_.name, [], [key], [(given,)]) if key is not None else []
    if not found:
        raise nothing(f"{type_.name} {given}")
    if len(found) > 1:
        ids = ", ".join(str(row[0]) for row in found)
        raise StoreError(f"several records of type {type_.name} have {given}: write an id, {ids}")
    record: RecordId = found[0][0]
    return record
