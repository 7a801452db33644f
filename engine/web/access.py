"""Who is asking: logins, sessions and tokens, all in memory, so that a restart ends them."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from engine.console import Console, Person
from engine.secrets import Secrets
from engine.web.passwords import SCHEMES, hash_password, hash_token, verify

__all__ = ["Access", "NoUsers", "Session", "TooMany", "is_loopback"]

_MOST = 2_000  # sessions; the oldest goes
_IDLE = 8 * 3600.0  # seconds without a request after which a session ends
_TRIES, _SPAN = 5, 60.0  # failed logins by one name, or from one address, in so many seconds


class NoUsers(Exception):
    """The console would be open to a network and nobody could log in."""


class TooMany(Exception):
    """Too many logins failed of late."""


@dataclass
class Session:
    """One browser; `name` is empty before a login, `role` too unless none is needed."""

    id: str
    csrf: str
    name: str = ""
    role: str = ""
    seen: float = 0.0
    notices: list[str] = field(default_factory=list)

    def may(self, role: str) -> bool:
        """Whether what needs this role may be done."""
        return not role or self.role in ("approve", role)


def is_loopback(host: str) -> bool:
    """Whether only this computer reaches a server that is bound to this host."""
    return host in ("localhost", "::1") or host.startswith("127.")


class Access:
    """Sessions and logins of one console. Raises `NoUsers` and `engine.secrets.SecretError`."""

    def __init__(
        self, console: Console, secrets_: Secrets, host: str, now: Callable[[], float]
    ) -> None:
        self._users = {
            each.name: _resolved(each, secrets_, hash_password) for each in console.users
        }
        self._tokens = [_resolved(each, secrets_, hash_token) for each in console.tokens]
        self.open = is_loopback(host) and not self._users
        if not (self.open or self._users):
            raise NoUsers(
                f"`--host {host}` opens the console to a network, and nobody could log in: write"
                " [console.users.NAME] with a `password` from `crosswalk serve --hash-password`"
            )
        self._now = now
        self._key = secrets.token_bytes(32)
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._failed: dict[str, deque[float]] = defaultdict(deque)
        self._lock = Lock()
        self._hashing = Lock()  # each hash takes 128 MB for a moment
        # An unknown name takes as long as a known one, so that nobody learns who there is.
        known = next(iter(self._users.values()), None)
        self._nobody = known.secret.rpartition(":")[0] + ":" if known else ""

    # -- sessions -------------------------------------------------------------------------------

    def session(self, cookie: str | None) -> Session:
        """The session of a signed cookie, or a new one."""
        now = self._now()
        with self._lock:
            found = self._sessions.get(self._unsigned(cookie)) if cookie else None
            if found is not None and now - found.seen < _IDLE:
                found.seen = now
                self._sessions.move_to_end(found.id)
                return found
            return self._new(*(("", "approve") if self.open else ("", "")))

    def cookie(self, session: Session) -> str:
        """What the browser keeps of a session."""
        return f"{session.id}.{self._signature(session.id)}"

    def end(self, session: Session) -> None:
        """Log out."""
        with self._lock:
            self._sessions.pop(session.id, None)

    def _new(self, name: str, role: str) -> Session:
        made = Session(
            secrets.token_urlsafe(24), secrets.token_urlsafe(24), name, role, self._now()
        )
        self._sessions[made.id] = made
        while len(self._sessions) > _MOST:
            self._sessions.popitem(last=False)
        return made

    def _unsigned(self, cookie: str) -> str:
        name, _, signature = cookie.partition(".")
        right = hmac.compare_digest(signature.encode(), self._signature(name).encode())
        return name if right else ""

    def _signature(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()

    # -- logins ---------------------------------------------------------------------------------

    def log_in(self, before: Session, name: str, password: str, address: str) -> Session | None:
        """A new session for somebody who knows the password, else None. Raises `TooMany`."""
        keys = (f"name {name[:200]}", f"from {address}")
        with self._lock:
            if any(self._recent(key) >= _TRIES for key in keys):
                raise TooMany
            for key in keys:  # counted before it is looked at, or many at once would get through
                self._failed[key].append(self._now())
        person = self._users.get(name)
        with self._hashing:
            right = verify(password[:1000], person.secret if person else self._nobody)
        if person is None or not right:
            return None
        with self._lock:
            for key in keys:
                self._failed.pop(key, None)
            self._sessions.pop(before.id, None)
            return self._new(person.name, person.role)

    def _recent(self, key: str) -> int:
        if key not in self._failed:
            return 0
        times = self._failed[key]
        while times and times[0] < self._now() - _SPAN:
            times.popleft()
        if not times:
            del self._failed[key]
        return len(times)

    def bearer(self, header: str) -> Session | None:
        """What the bearer of a token may do, for one request."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        for each in self._tokens:
            if verify(token.strip(), each.secret):
                return Session("", "", f"token {each.name}", each.role)
        return None


def _resolved(person: Person, secrets_: Secrets, hashed: Callable[[str], str]) -> Person:
    """With the secret hashed, be it written so or referred to."""
    if person.secret.startswith(SCHEMES):
        return person
    secret = secrets_.get(f"console.{person.name}", person.secret).reveal()
    kept = secret if secret.startswith(SCHEMES) else hashed(secret)
    return Person(person.name, kept, person.role)
