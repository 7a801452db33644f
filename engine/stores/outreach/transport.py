"""Requests to Outreach, several at a time: an event loop in a thread, behind plain calls."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
from yarl import URL

from engine.ports import BudgetSpent, StoreError, Unreachable, Wait
from engine.stores.outreach.failures import Unsent, broken, refused
from engine.stores.outreach.pace import Pace
from engine.stores.outreach.settings import Settings
from engine.tracing import call

__all__ = ["AT_ONCE", "Answer", "Request", "Transport"]

AT_ONCE = 16  # requests under way; more gain nothing at one user's limit
_TRIES = 6
_UNSENT_TRIES = 2  # further ones where no connection comes about
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 8.0  # seconds, of which half is by chance
#: No bound between two reads: its timer would be set anew with each piece of each answer.
_TIMEOUT = aiohttp.ClientTimeout(total=120, connect=20)
#: Shorter than servers keep connections: one that they have closed would lose a create's outcome.
_IDLE = 4.0
_MEDIA = "application/vnd.api+json"
_FORM = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
_AGENT = "crosswalk"

_T = TypeVar("_T")


class Request(NamedTuple):
    """One request to a whole address; one that is `once` is not sent again if it may have come."""

    method: str
    url: str
    body: bytes | None = None
    once: bool = False


class Answer(NamedTuple):
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Transport:
    """Sends requests and knows the server's time; for one thread at a time.

    `access` gives the access token, and renews the one that it is told was refused. `counted` is
    told each request that Outreach counts. `wait` waits for Outreach's own limit; without it, what
    would have to wait longer than `pace` has patience for is `BudgetSpent`.
    """

    settings: Settings
    access: Callable[[str | None], str] = lambda _refused: ""
    pace: Pace = field(default_factory=Pace)
    counted: Callable[[], None] = lambda: None
    wait: Wait | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _session: aiohttp.ClientSession | None = None
    _told: tuple[datetime, float] | None = None
    _date: str | None = None

    # -- plain calls ----------------------------------------------------------------------------

    def one(self, request: Request, what: str) -> Answer:
        """The answer to one request, which is a result; `what` is asked for, in the user's words.

        Raises `StoreError` for any other.
        """
        (found,) = self.all([request], what)
        if isinstance(found, StoreError):
            raise found
        if found.status >= 300:
            raise refused(found.status, found.body, what)
        return found

    def all(self, requests: Sequence[Request], what: str) -> list[Answer | StoreError]:
        """The answer to each request, or why there is none; raises if none was even begun.

        `Unsent`, `BudgetSpent` and `Unauthorized` say that it did not happen, `Unreachable` that
        nobody knows. After the first without an answer no further ones are begun.
        """
        found: list[Answer | StoreError | None] = [None] * len(requests)
        ended: str | None = None  # a token that was refused
        renewed = False
        while True:
            open_ = found.count(None)
            try:
                token = self.access(ended)
            except StoreError as error:
                if open_ == len(requests):
                    raise
                return [each or error for each in found]
            self.run(self._work(requests, found, token))
            spent = next((each for each in found if isinstance(each, BudgetSpent)), None)
            if spent is not None and self.wait is not None and self.wait(spent):
                found = [None if isinstance(each, BudgetSpent) else each for each in found]
                continue
            refusal = next((e for e in found if isinstance(e, Answer) and e.status == 401), None)
            if refusal is None:
                unbegun = _unbegun(found)
                return [each or unbegun for each in found]
            # A token may end at any time. One that is refused as soon as it is there is no good.
            ended, found = token, [None if _is_refused(each) else each for each in found]
            if renewed and found.count(None) == open_:
                lost = refused(refusal.status, refusal.body, what)
                return [each or lost for each in found]
            renewed = True

    def plain(self, url: str, form: Mapping[str, str]) -> Answer:
        """The answer to a form, sent without a token and not counted; for OAuth.

        Raises `Unreachable`.
        """
        request = Request("POST", url, urlencode(form).encode())

        async def send() -> Answer:
            for tried in range(_TRIES):
                try:
                    answer = await self._send(request, _FORM)
                    if answer.status < 500 or tried == _TRIES - 1:
                        return answer
                except (aiohttp.ClientError, OSError, TimeoutError) as error:
                    failure = broken(error, self.settings)
                    if tried == _TRIES - 1 or not _worth_another(failure, request, tried):
                        raise failure from None
                await _wait(tried)
            raise AssertionError

        return self.run(send())

    def now(self) -> datetime | None:
        """The server's time, certainly not later than it is there; None before any answer."""
        if self._told is None:
            return None
        moment, at = self._told
        return moment + timedelta(seconds=time.monotonic() - at)

    def close(self) -> None:
        """Close all connections and end the thread."""
        loop, session = self._loop, self._session
        self._loop = self._session = None
        if loop is None:
            return
        if session is not None:
            asyncio.run_coroutine_threadsafe(session.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)

    # -- the thread -----------------------------------------------------------------------------

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """The result of a coroutine in the loop's thread; interrupted, it is cancelled."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=_turn, args=(self._loop,), daemon=True).start()
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def _work(
        self, requests: Sequence[Request], found: list[Answer | StoreError | None], token: str
    ) -> None:
        """Answer what has no answer yet, until one is refused that the others would be too."""
        places = iter([at for at, each in enumerate(found) if each is None])
        stopped = False

        async def worker() -> None:
            nonlocal stopped
            for at in places:
                if stopped:
                    return
                try:
                    found[at] = answer = await self._answer(requests[at], token)
                    stopped = stopped or answer.status == 401
                except StoreError as error:
                    found[at], stopped = error, True

        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(requests))):
                group.create_task(worker())

    async def _answer(self, request: Request, token: str) -> Answer:
        """Send a request until it has an answer, as often as that does no harm."""
        # The vendor asks for the content type of requests without a body, too.
        headers = {"Authorization": f"Bearer {token}", "Accept": _MEDIA, "Content-Type": _MEDIA}
        for tried in range(_TRIES):
            last = tried == _TRIES - 1
            await self.pace.turn(reading=request.method == "GET")
            self.counted()
            try:
                with call(
                    "outreach", request.method, URL(request.url, encoded=True).raw_path
                ) as note:
                    answer = await self._send(request, headers)
                    note("http.response.status_code", answer.status)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                failure = broken(error, self.settings)
                if last or not _worth_another(failure, request, tried):
                    raise failure from None
            else:
                if answer.status == 429:
                    self.pace.pause(answer.headers)
                else:
                    self.pace.note(answer.headers)
                if answer.status != 429 and (answer.status < 500 or request.once):
                    return answer
                if last:
                    return answer
            finally:
                self.pace.under_way -= 1
            await _wait(tried)
        raise AssertionError

    async def _send(self, request: Request, headers: Mapping[str, str]) -> Answer:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=AT_ONCE, keepalive_timeout=_IDLE)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=_TIMEOUT,
                headers={"User-Agent": _AGENT},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        address = URL(request.url, encoded=True)
        async with self._session.request(
            request.method,
            address,
            headers=headers,
            data=request.body,
            allow_redirects=False,
            proxy=_proxy(address),
        ) as response:
            self._note_time(response.headers.get("Date"))
            answer = Answer(response.status, response.headers, await response.read())
            if answer.status < 300 and "json" in response.content_type and not _is_whole(answer):
                raise aiohttp.ClientPayloadError
            return answer

    def _note_time(self, date: str | None) -> None:
        """Keep the latest time that the server told: it tells whole seconds, past ones."""
        if date == self._date:
            return
        self._date = date
        try:
            moment = parsedate_to_datetime(date) if date else None
        except ValueError:
            return
        known = self.now()
        if moment is not None and (known is None or moment > known):
            self._told = moment, time.monotonic()


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


def _is_refused(found: Answer | StoreError | None) -> bool:
    """Whether a request did not happen since the access token had ended."""
    return isinstance(found, Answer) and found.status == 401


def _is_whole(answer: Answer) -> bool:
    """Whether a body is JSON to its end; a proxy may cut one short without a sign."""
    try:
        msgspec.json.decode(answer.body or b"null", type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _unbegun(found: Sequence[Answer | StoreError | None]) -> StoreError:
    """Why requests were not begun: for the same reason as another, or since that had no answer."""
    spent = next((each for each in found if isinstance(each, BudgetSpent)), None)
    return spent or Unsent(
        "an earlier request of the same batch had no answer, so this one was not sent"
    )


def _worth_another(failure: Unreachable, request: Request, tried: int) -> bool:
    """Whether a failed request is sent again: if that does no harm, and may do good."""
    if isinstance(failure, Unsent):
        return not failure.lasting and tried < _UNSENT_TRIES
    return not request.once


async def _wait(tried: int) -> None:
    longest = min(_FIRST_WAIT * 2**tried, _LONGEST_WAIT)
    await asyncio.sleep(longest * (0.5 + random.random() / 2))  # noqa: S311 - no secret


def _proxy(address: URL) -> str | None:
    """The proxy of the environment; a sandbox server on this machine is reached without.

    aiohttp's own look at the environment would give it a password of a `.netrc` as well.
    """
    if address.scheme != "https" or proxy_bypass(address.host or ""):
        return None
    return getproxies().get("https")
