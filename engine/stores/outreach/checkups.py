"""Whether a connection to Outreach lets the rules do what they need, looked at step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engine.ports import Checkup, Need, StoreError, Unauthorized, Unreachable, Usage
from engine.stores.outreach.auth import Auth
from engine.stores.outreach.describing import Types
from engine.stores.outreach.failures import refusal
from engine.stores.outreach.lists import Lists
from engine.stores.outreach.paths import plural
from engine.stores.outreach.transport import Request

__all__ = ["checkups"]

_CLOCKS = timedelta(minutes=2)  # by which two clocks may differ before anybody should look
_FEW_CALLS = 500
_NOBODY = (1 << 53) - 1  # no record has this id: a write to it only asks whether it may be made
_CONNECT = "add it to your app in Outreach, then run `crosswalk connect outreach`"


@dataclass
class _Looking:
    lists: Lists
    types: Types
    auth: Auth

    def look(self, needs: Sequence[Need]) -> Iterator[Checkup]:
        where = self.lists.transport.settings.origin
        try:
            self.auth.access()
            self.types.labels()
        except Unreachable:
            raise
        except StoreError as error:
            yield Checkup(f"{where} lets us in", False, str(error))
            return
        yield Checkup(f"{where} lets us in", True)
        yield self._clock()
        for need in needs:
            yield from self._need(need)
        yield self._budget(self.lists.transport.pace.usage())

    def _clock(self) -> Checkup:
        there = self.lists.transport.now()
        apart = abs(datetime.now(UTC) - there) if there is not None else timedelta(0)
        what = f"the clocks differ by {apart.total_seconds():.0f} s"
        advice = "set this machine's clock by a time server" if apart > _CLOCKS else ""
        return Checkup(what, not advice, advice)

    def _need(self, need: Need) -> Iterator[Checkup]:
        type_ = self.types.of(need.type)
        if type_ is None:
            yield Checkup(
                f"Outreach has {plural(need.type)}",
                False,
                f"this org's API has no {plural(need.type)}: take the rules about them out",
            )
            return
        missing = sorted(
            name
            for name in need.reads | need.writes
            if name not in type_.fields and name != "sequence"
        )
        if missing:
            listed = ", ".join(missing)
            advice = f"Outreach has no such field: correct the rules that name {listed}"
            yield Checkup(f"{need.type} has {listed}", False, advice)
        yield self._asked(need.type, "read", "GET")
        if need.creates or need.updates:
            yield self._asked(need.type, "write", "PATCH")
        if need.deletes:
            yield self._asked(need.type, "delete", "DELETE")

    def _asked(self, type_name: str, word: str, method: str) -> Checkup:
        """Whether a scope is there, by a request that can change nothing."""
        path = plural(type_name)
        url = self.lists.url(type_name, [(f"fields[{type_name}]", "createdAt")], 1)
        body = None
        if method != "GET":
            url = f"{self.lists.transport.settings.base}/{path}/{_NOBODY}"
        if method == "PATCH":
            body = f'{{"data":{{"type":"{type_name}","id":{_NOBODY}}}}}'.encode()
        what = f"{path}: {word}"
        try:
            (answer,) = self.lists.transport.all([Request(method, url, body)], path)
            if isinstance(answer, StoreError):
                raise answer
        except Unauthorized as error:
            return Checkup(what, False, str(error))
        if answer.status == 403:
            told = refusal(answer.status, answer.body).message
            return Checkup(what, False, f"{told}. The scope is `{path}.{word}`: {_CONNECT}")
        if method == "GET" and answer.status >= 300:
            return Checkup(what, False, refusal(answer.status, answer.body).message)
        return Checkup(what, True)

    def _budget(self, usage: Usage) -> Checkup:
        left = usage.max - usage.used
        what = f"{left:,} of {usage.max:,} requests are left until {usage.resets_at:%H:%M} UTC"
        advice = "other programs use this user's requests: let Crosswalk have a user of its own"
        return Checkup(what, left >= _FEW_CALLS, "" if left >= _FEW_CALLS else advice)


def checkups(lists: Lists, types: Types, auth: Auth, needs: Sequence[Need]) -> Iterator[Checkup]:
    """Each thing looked at, as soon as it is known. Raises `Unreachable`."""
    return _Looking(lists, types, auth).look(needs)
