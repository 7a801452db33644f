"""Who is logged in: access tokens that expire, refresh tokens and codes; all kept in memory."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.ports import Clock
from engine.sandbox.identity import SalesforceIdentity

__all__ = ["Grant", "Session", "Sessions"]

_CODE_LIVES = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Session:
    """An access token at work. `refresh` is the refresh token that it was made with, if any."""

    token: str
    expires: datetime
    scope: str
    refresh: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """What an authorization code stands for; `challenge` is that of PKCE, with its method."""

    redirect: str
    scope: str
    challenge: str | None
    method: str
    expires: datetime


@dataclass
class Sessions:
    """The sessions of one org. `org_id` is the start of each token, as it is at Salesforce."""

    identity: SalesforceIdentity
    org_id: str
    lives: timedelta
    clock: Clock
    _open: dict[str, Session] = field(default_factory=dict)
    _codes: dict[str, Grant] = field(default_factory=dict)
    _revoked: set[str] = field(default_factory=set)

    def start(self, scope: str, refresh: str | None = None) -> Session:
        """A new session."""
        token = f"{self.org_id[:15]}!{secrets.token_urlsafe(48)}"
        session = Session(token, self.clock.now() + self.lives, scope, refresh)
        self._open[token] = session
        return session

    def find(self, token: str) -> Session | None:
        """The session of an access token, if it has not expired."""
        session = self._open.get(token)
        if session is not None and session.expires <= self.clock.now():
            self.end(token)
            return None
        return session

    def end(self, token: str) -> None:
        """Log out."""
        self._open.pop(token, None)

    # -- refresh tokens -------------------------------------------------------------------------

    def refresh_token(self) -> str:
        """A new refresh token; it is signed, so that it outlives this process."""
        nonce = secrets.token_hex(16)
        return f"5Aep861{nonce}.{self._seal(nonce)}"

    def _seal(self, nonce: str) -> str:
        key = f"{self.identity.client_id} {self.identity.client_secret}".encode()
        return hmac.new(key, nonce.encode(), hashlib.sha256).hexdigest()

    def is_refresh(self, token: str) -> bool:
        """Whether a refresh token is one of this org's, and has not been revoked."""
        nonce, _, seal = token.removeprefix("5Aep861").partition(".")
        good = hmac.compare_digest(self._seal(nonce).encode(), seal.encode())
        return good and token not in self._revoked

    def revoke(self, token: str) -> bool:
        """Revoke a token, and with a refresh token its sessions; whether there was one."""
        if self.is_refresh(token):
            self._revoked.add(token)
            for session in [s for s in self._open.values() if s.refresh == token]:
                self.end(session.token)
            return True
        return self._open.pop(token, None) is not None

    # -- authorization codes --------------------------------------------------------------------

    def code(self, redirect: str, scope: str, challenge: str | None, method: str) -> str:
        """A new authorization code."""
        code = f"aPrx{secrets.token_urlsafe(32)}"
        until = self.clock.now() + _CODE_LIVES
        self._codes[code] = Grant(redirect, scope, challenge, method, until)
        return code

    def redeem(self, code: str) -> Grant | None:
        """What a code stands for; it can be used once, and not for long."""
        grant = self._codes.pop(code, None)
        return grant if grant is not None and grant.expires > self.clock.now() else None
