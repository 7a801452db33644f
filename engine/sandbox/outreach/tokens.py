"""The tokens that the server gives: which there are, what they may do, and when they die."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from engine.ports import Clock
from engine.sandbox.identity import OutreachIdentity
from engine.sandbox.outreach.kept import Kept
from engine.sandbox.outreach.setup import Setup

__all__ = ["Grant", "Issued", "OauthError", "Tokens"]

_CODE_SECONDS = 600
_INVALID_GRANT = (
    "The provided authorization grant is invalid, expired, revoked, does not match the redirection"
    " URI used in the authorization request, or was issued to another client."
)


class OauthError(Exception):
    """Answered as OAuth's `{"error", "error_description"}` with this status."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.error, self.description = status, error, description


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access token may do, until an epoch second; `chain` is its refresh token's number."""

    scopes: frozenset[str]
    expires: float
    chain: int

    def allows(self, resource: str, level: str) -> bool:
        """Whether it may `read`, `write` or `delete` a resource, by the name in its path."""
        return not self.scopes.isdisjoint(("all", f"{resource}.{level}", f"{resource}.all"))


@dataclass(frozen=True, slots=True)
class Issued:
    """What a client gets; the texts are its secrets."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    scopes: tuple[str, ...]
    created: int


@dataclass
class Tokens:
    """Access tokens are in memory; refresh tokens are kept with the org.

    A refresh token lives on until the one that it was changed for, or the access token that came
    with that, has been used. The identity's own one always begins anew, unless the setup is strict.
    """

    identity: OutreachIdentity
    kept: Kept
    clock: Clock
    setup: Setup
    _access: dict[str, Grant] = field(default_factory=dict)
    _codes: dict[str, tuple[float, str, tuple[str, ...]]] = field(default_factory=dict)
    _unused: dict[int, int] = field(default_factory=dict)
    _last: float | None = None

    def __post_init__(self) -> None:
        self._refresh: dict[str, int] = {}
        for number, document in self.kept.all().items():
            if document["expires"] > self._now():
                self._refresh[document["token"]] = number
            else:
                self.kept.drop(number)
        if self.identity.refresh_token not in self._refresh:
            self._keep(self.identity.refresh_token, self.identity.scopes, None)

    def _now(self) -> float:
        return self.clock.now().timestamp()

    def grant(self, token: str) -> Grant | None:
        """What an access token may do; None if it is none, or has expired."""
        found = self._access.get(token)
        if found is None or found.expires <= self._now():
            return None
        if found.chain in self._unused:
            self._used(found.chain)
        return found

    def forget(self, token: str) -> bool:
        """Let an access token expire at once; whether it was one."""
        return self._access.pop(token, None) is not None

    # -- minting --------------------------------------------------------------------------------

    def check_client(self, client: str, secret: str) -> None:
        """Raises `OauthError`."""
        good = hmac.compare_digest(client.encode(), self.identity.client_id.encode())
        good &= hmac.compare_digest(secret.encode(), self.identity.client_secret.encode())
        if not good:
            raise OauthError(
                401,
                "invalid_client",
                "Client authentication failed due to unknown client, no client authentication"
                " included, or unsupported authentication method.",
            )

    def scopes_of(self, asked: str) -> tuple[str, ...]:
        """The scopes of a request, which must be among the app's. Raises `OauthError`."""
        wanted = tuple(dict.fromkeys(asked.split())) or self.identity.scopes
        own = Grant(frozenset(self.identity.scopes), 0, 0)
        for scope in wanted:
            resource, dot, level = scope.rpartition(".")
            if scope not in own.scopes and not (dot and own.allows(resource, level)):
                raise OauthError(
                    400, "invalid_scope", "The requested scope is invalid, unknown, or malformed."
                )
        return wanted

    def code(self, redirect: str, scopes: tuple[str, ...]) -> str:
        """A code to be exchanged once, within ten minutes."""
        code = secrets.token_urlsafe(32)
        self._codes[code] = (self._now() + _CODE_SECONDS, redirect, scopes)
        return code

    def exchange(self, code: str, redirect: str) -> Issued:
        """Tokens for a code. Raises `OauthError`."""
        expires, known, scopes = self._codes.pop(code, (0.0, "", ()))
        if expires <= self._now() or known != redirect:
            raise OauthError(400, "invalid_grant", _INVALID_GRANT)
        return self._issue(scopes, None)

    def refresh(self, token: str) -> Issued:
        """Tokens for a refresh token. Raises `OauthError`."""
        number = self._refresh.get(token)
        if number is None:
            raise OauthError(400, "invalid_grant", _INVALID_GRANT)
        document = self.kept.get(number)
        first = token == self.identity.refresh_token and not self.setup.strict
        if document["expires"] <= self._now() and not first:
            raise OauthError(400, "invalid_grant", _INVALID_GRANT)
        self._used(number)
        scopes = self.identity.scopes if first else tuple(document["scopes"])
        return self._issue(scopes, None if first else number)

    def _issue(self, scopes: tuple[str, ...], parent: int | None) -> Issued:
        now = self._now()
        pause = self.setup.pause.total_seconds()
        if self._last is not None and now < self._last + pause:
            raise OauthError(
                429, "rate_limit_exceeded", "An app gets one access token a minute for each user."
            )
        self._last = now
        refresh, access = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        number = self._keep(refresh, scopes, parent)
        if parent is not None:
            self._unused[number] = parent
        self._access = {t: g for t, g in self._access.items() if g.expires > now}
        self._access[access] = Grant(
            frozenset(scopes), now + self.setup.access.total_seconds(), number
        )
        return Issued(access, refresh, scopes, int(now))

    def _keep(self, token: str, scopes: tuple[str, ...], parent: int | None) -> int:
        expires = self._now() + self.setup.refresh.total_seconds()
        document = {"token": token, "scopes": scopes, "expires": expires, "parent": parent}
        number = self._refresh[token] = self.kept.add(document)
        return number

    def _used(self, number: int) -> None:
        """A token has been used, or its access token: the one that it was changed for dies."""
        self._unused.pop(number, None)
        document = self.kept.get(number)
        parent = document and document["parent"]
        if parent is not None and (old := self.kept.get(parent)) is not None:
            self._refresh.pop(old["token"], None)
            self.kept.drop(parent)
