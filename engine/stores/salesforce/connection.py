"""One request after the other to one org: with its session renewed, and its answers understood."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

from dsl.values import stamp
from engine.connections import host_of
from engine.model import Side
from engine.ports import (
    BudgetSpent,
    StoreError,
    Tokens,
    Unauthorized,
    Unreachable,
    Usage,
    Vault,
    Wait,
)
from engine.stores.salesforce.login import VERSION, log_in
from engine.stores.salesforce.problems import LIMIT, VendorProblem, forbidden, problem_in
from engine.stores.salesforce.session import (
    Unsent,
    as_store_error,
    open_session,
    redirect_of,
)
from engine.stores.salesforce.settings import Settings, same_host
from engine.tracing import call

__all__ = ["ROOT", "Connection"]

#: Where all resources of this version are, as composite requests name them.
ROOT = f"/services/data/v{VERSION}/"

_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
_TRIES = 6
_FIRST_PAUSE = 0.25  # seconds; each pause is twice the last
_PATIENCE = 300.0  # seconds, after which nothing is tried again
_FRESH = 60.0  # seconds for which the last answer's date will do as the time
_HOUR = timedelta(hours=1)

_T = TypeVar("_T")


class _Api(Salesforce):
    """simple-salesforce whose `restful` gives an answer's bytes, for faster reading than its own.

    Logged in from outside, it renews nothing itself: on a lasting 401 it would not end.
    """

    def parse_result_to_json(self, result: requests.Response) -> bytes:
        return result.content


class Connection:
    """Sends requests to the configured org. `calls` counts those that Salesforce counts."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self.calls = 0
        #: What to do where the org has no calls left; without, `BudgetSpent` is raised.
        self.wait: Wait | None = None
        #: The headers of the last answer.
        self.headers: Any = {}
        self._status = 0
        self._settings, self._vault = settings, vault
        self._session = open_session([settings.login_url, settings.instance_url])
        self._session.hooks["response"].append(self._note)
        self._api: _Api | None = None
        self._access = ""
        self._usage: tuple[int, int] | None = None
        self._date: tuple[datetime, float] | None = None
        self._draws = random.Random()  # noqa: S311 - pauses are no secret

    def close(self) -> None:
        self._session.close()

    # -- requests -------------------------------------------------------------------------------

    def read(self, path: str, as_: Callable[[bytes], _T], **options: Any) -> _T:
        """What a GET of a path below `ROOT` answers; tried again where that may help.

        Raises `VendorProblem`, `BudgetSpent`, `Unauthorized`, `Unreachable`.
        """
        return self.ask("GET", path, as_, again=True, **options)

    def ask(
        self, method: str, path: str, as_: Callable[[bytes], _T], *, again: bool, **options: Any
    ) -> _T:
        """What a request answers. `again` says that it may be sent twice, since it is the same.

        Raises as `read`; an `Unreachable` that is not `Unsent` means that nobody knows what
        happened, unless `again`.
        """
        until, tried = time.monotonic() + _PATIENCE, 0
        while True:
            tried += 1
            last = tried == _TRIES or time.monotonic() > until
            try:
                return self._once(method, path, as_, options)
            except VendorProblem as problem:
                if problem.spends:
                    self._wait_for_calls()
                    until, tried = time.monotonic() + _PATIENCE, 0
                    continue
                if problem.is_certain and not problem.passes:
                    raise
                if last or not (again or problem.is_certain):
                    raise Unreachable(f"Salesforce is not available: {problem}") from None
            except Unsent as error:
                if last or not error.passes:
                    raise
            except Unreachable:
                if last or not again:
                    raise
            self.pause(tried)

    def pause(self, tried: int) -> None:
        """Wait before the next try: longer each time, and not in step with others."""
        time.sleep(_FIRST_PAUSE * 2 ** (tried - 1) * self._draws.uniform(0.5, 1))

    def _once(
        self, method: str, path: str, as_: Callable[[bytes], _T], options: dict[str, Any]
    ) -> _T:
        """One try, with a new session if the old one has ended."""
        api = self._api or _before(self._connect)
        try:
            return self._sent(api, method, path, as_, options)
        except _Ended:
            api = _before(lambda: self._renew(self._access))
        return self._sent(api, method, path, as_, options)

    def _sent(
        self,
        api: _Api,
        method: str,
        path: str,
        as_: Callable[[bytes], _T],
        options: dict[str, Any],
    ) -> _T:
        self.calls += 1
        try:
            with call("salesforce", method, path) as note:
                body = api.restful(path, method=method, allow_redirects=False, **options)
                note("http.response.status_code", self._status)
        except Unsent:
            self.calls -= 1
            raise
        except requests.RequestException as error:
            found = as_store_error(error, api.base_url)
            self.calls -= isinstance(found, Unsent)
            raise found from None
        except SalesforceError as error:
            problem = problem_in(error.status, error.content)
            self.calls -= problem.status == 401 or problem.code == LIMIT  # which are not counted
            raise self._understood(problem) from None
        try:
            return as_(body or b"")
        except msgspec.DecodeError:
            raise Unreachable("Salesforce's answer broke off") from None

    def _understood(self, problem: VendorProblem) -> StoreError:
        """An answer that is no success, as what it means for the connection, if it does."""
        if 300 < problem.status < 304 or problem.status in (307, 308):
            other = host_of(self.headers.get("Location", "")) or "another address"
            return StoreError(f"the org has moved to {other}: set `instance_url` in [salesforce]")
        advice = forbidden(problem) if problem.status in (401, 403) else None
        if advice is not None:
            return Unauthorized(advice)
        if problem.status == 401:
            return _Ended(f"Salesforce does not accept the session: {problem.message}")
        return problem

    def _note(self, response: requests.Response, **_options: Any) -> None:
        """Keep what each answer's headers tell besides."""
        self.headers, self._status = response.headers, response.status_code
        found = _USAGE.search(response.headers.get("Sforce-Limit-Info", ""))
        if found is not None:
            self._usage = int(found[1]), int(found[2])
        try:
            date = parsedate_to_datetime(response.headers.get("Date", ""))
        except ValueError:
            return
        self._date = date.astimezone(UTC), time.monotonic()

    # -- sessions -------------------------------------------------------------------------------

    def _connect(self) -> _Api:
        """The session that was kept last, or a new one."""
        kept = None if self._settings.auth == "token" else self._vault.tokens()
        if kept is None or not kept.access or not self._is_here(kept):
            return self._renew("")
        return self._use(kept)

    def _is_here(self, tokens: Tokens) -> bool:
        """Whether kept tokens are of the org that is configured now."""
        at = tokens.instance_url
        return at is None or same_host(at, self._settings.instance_url)

    def _renew(self, ended: str) -> _Api:
        """A new session in place of the one that `ended`, unless another process has it already."""
        if self._settings.auth == "token":
            if ended:
                raise Unauthorized(
                    "the access token that `token` in [salesforce] refers to has ended or was"
                    ' revoked: put a new one there, or use another `auth`, such as "jwt"'
                )
            return self._use(log_in(self._settings, self._session, None))
        with self._vault.exclusive():
            kept = self._vault.tokens()
            here = kept is not None and self._is_here(kept)
            if kept is not None and here and kept.access and kept.access != ended:
                return self._use(kept)
            return self._log_in(kept)

    def log_in(self) -> None:
        """Log in anew, though a session may be open: whether the credentials are right still.

        Raises as `read`.
        """
        if self._settings.auth == "token":
            self._renew("")
            return
        with self._vault.exclusive():
            self._log_in(self._vault.tokens())

    def _log_in(self, kept: Tokens | None) -> _Api:
        tokens = log_in(self._settings, self._session, kept)
        self._vault.keep(tokens)  # at once: a refresh token may be a new one
        self._check_host(tokens)
        return self._use(tokens)

    def _check_host(self, tokens: Tokens) -> None:
        if not self._is_here(tokens):
            raise StoreError(
                f"this login is for {host_of(tokens.instance_url or '')}, and `instance_url` in"
                f" [salesforce] is {host_of(self._settings.instance_url)}: make them the same"
            )

    def _use(self, tokens: Tokens) -> _Api:
        api = _Api(
            session_id=tokens.access,
            instance=host_of(self._settings.instance_url),
            session=self._session,
            version=VERSION,
        )
        del api.headers["X-PrettyPrint"]
        self._api, self._access = api, tokens.access
        return api

    # -- what answers tell besides --------------------------------------------------------------

    def now(self) -> str:
        """The org's clock: the date of the last answer, or of one that costs no call."""
        if self._date is None or time.monotonic() - self._date[1] > _FRESH:
            self.touch()
        if self._date is None:
            raise StoreError("Salesforce's answers have no `Date`, so its clock is not known")
        return stamp(self._date[0])

    def touch(self) -> None:
        """Ask for the list of versions, which costs no call and needs no session."""
        api = self._api or self._connect()
        url = f"https://{api.sf_instance}/services/data"
        for tried in range(1, _TRIES + 1):
            try:
                answer = self._session.get(url, allow_redirects=False)
            except requests.RequestException as error:
                found = as_store_error(error, url)
                passes = not isinstance(found, Unsent) or found.passes
                if tried == _TRIES or not passes:
                    raise found from None
            else:
                if (other := redirect_of(answer)) is not None:
                    raise StoreError(f"the org has moved to {other}: set `instance_url`")
                return
            self.pause(tried)

    def usage(self) -> Usage:
        """What the org has used of its 24 hours, by the last answer.

        Before the first one, `limits` is asked, which is a call. Salesforce's window rolls: what
        was used an hour and a day ago stops counting all the time, so `resets_at` is an hour on.
        """
        if self._usage is None:
            self._usage = self.read("limits", _as_limits)
        used, most = self._usage
        return Usage(used, most, datetime.fromisoformat(self.now()) + _HOUR, "day")

    def _wait_for_calls(self) -> None:
        """The org has no calls left: wait as one is told to, or raise `BudgetSpent`."""
        spent = self._spent()
        if self.wait is None or not self.wait(spent):
            raise spent from None

    def _spent(self) -> BudgetSpent:
        until = datetime.fromisoformat(self.now()) + _HOUR
        message = (
            "Salesforce has no API calls left for this org in these 24 hours"
            f" ({LIMIT}): what is left waits until there are"
        )
        return BudgetSpent(message, Side.SALESFORCE, until)


def _before(start: Callable[[], _Api]) -> _Api:
    """A session for a request of which nothing was sent yet, whatever goes wrong."""
    try:
        return start()
    except Unsent:
        raise
    except Unreachable as error:
        raise Unsent(str(error), passes=True) from None


class _Ended(Unauthorized):
    """A 401 that a new session may mend."""


class _Limit(msgspec.Struct, rename="pascal"):
    max: int
    remaining: int


class _Limits(msgspec.Struct, rename="pascal"):
    daily_api_requests: _Limit


def _as_limits(body: bytes) -> tuple[int, int]:
    limit = msgspec.json.decode(body, type=_Limits).daily_api_requests
    return limit.max - limit.remaining, limit.max
