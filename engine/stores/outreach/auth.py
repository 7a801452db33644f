"""Access tokens of Outreach: from the vault, and renewed there by one process at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.ports import StoreError, Tokens, Unauthorized, Unreachable, Vault
from engine.stores.outreach.failures import refusal
from engine.stores.outreach.settings import Settings
from engine.stores.outreach.transport import Answer

__all__ = ["Auth"]

_LIFE = 7200.0  # seconds that an access token is good for, unless the answer says otherwise
_EARLY = 60.0  # seconds before its end from which a token counts as ended
_MINUTE = 60.0  # in which Outreach allows one mint
_PATIENCE = 90.0
_CONNECT = "run `crosswalk connect outreach` to authorise again"

#: Sends a form to an address and gives the answer. Raises `Unreachable`.
Post = Callable[[str, dict[str, str]], Answer]


class _Later(Unreachable):
    """Outreach wants so many seconds to pass before it gives another token."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            "Outreach gives an app one access token a minute, and refuses another one: try again"
            " in a minute"
        )
        self.seconds = min(seconds, _PATIENCE)


@dataclass
class Auth:
    """Gives the access token; keeps what a renewal brings before it uses it.

    At least `apart` seconds lie between two renewals, as far as this can be known.
    """

    settings: Settings
    vault: Vault
    post: Post
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    apart: float = _MINUTE
    _known: Tokens | None = field(default=None, repr=False)

    def access(self, refused: str | None = None) -> str:
        """A token that is good as far as is known, and not the one that was refused.

        Raises `Unauthorized`, `Unreachable`, or `StoreError` where the vault cannot be used.
        """
        if self.settings.token is not None:
            if refused is not None:
                raise Unauthorized(
                    "Outreach refuses the access token that `token` in [outreach] of crosswalk.toml"
                    " refers to: it lives two hours at the most; put a new one there"
                )
            return self.settings.token.reveal()
        if (known := self._good(self._known, refused)) is not None:
            return known.access
        kept = self.vault.tokens()
        self._known = self._good(kept, refused)
        if self._known is None:
            # Waited for without the lock, which others wait for.
            self._keep_apart(kept)
            try:
                self._known = self._fresh(refused)
            except _Later as later:
                self.sleep(later.seconds)
                self._known = self._fresh(refused)
        return self._known.access

    def _fresh(self, refused: str | None) -> Tokens:
        """Tokens that this process renews, or that another one did while this one waited."""
        with self.vault.exclusive():
            kept = self.vault.tokens()
            found = self._good(kept, refused)
            if found is None:
                found = self._renewed(kept)
                self.vault.keep(found)
        return found

    def _good(self, tokens: Tokens | None, refused: str | None) -> Tokens | None:
        """These tokens, if their access token can be used."""
        if tokens is None or not tokens.access or tokens.access == refused:
            return None
        ended = tokens.expires is not None and tokens.expires - _EARLY <= self.clock()
        return None if ended else tokens

    # -- renewal --------------------------------------------------------------------------------

    def _renewed(self, kept: Tokens | None) -> Tokens:
        """Fresh tokens, by the refresh token kept last or else the one that the settings name."""
        given = self.settings.refresh_token
        last = kept.refresh if kept is not None else None
        candidates = [last] if last else []
        if given is not None and given.reveal() != last:
            candidates.append(given.reveal())
        if not candidates:
            raise Unauthorized(f"there is no refresh token for Outreach yet: {_CONNECT}")
        for number, candidate in enumerate(candidates):
            answer = self._asked(candidate)
            if answer.status == 200:
                return self._tokens(answer, candidate)
            word = _error_of(answer)
            if word != "invalid_grant" or number == len(candidates) - 1:
                raise self._refused(answer, word)
        raise AssertionError

    def _keep_apart(self, kept: Tokens | None) -> None:
        """Wait until enough time has passed since the last mint, as its token's end tells."""
        if kept is not None and kept.expires is not None:
            passed = self.clock() - (kept.expires - _LIFE)
            if 0 <= passed < self.apart:
                self.sleep(self.apart - passed)

    def _asked(self, refresh: str) -> Answer:
        settings = self.settings
        form = {
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.reveal() if settings.client_secret else "",
            "grant_type": "refresh_token",
            "refresh_token": refresh,
        }
        if settings.redirect_uri:
            form["redirect_uri"] = settings.redirect_uri
        answer = self.post(f"{settings.origin}/oauth/token", form)
        if answer.status == 429:
            told = answer.headers.get("Retry-After", "")
            raise _Later(float(told) if told.isdigit() else _MINUTE)
        return answer

    def _tokens(self, answer: Answer, sent: str) -> Tokens:
        """The tokens of an answer; without a new refresh token the old one goes on."""
        try:
            told: Any = msgspec.json.decode(answer.body)
            access, refresh = told["access_token"], told.get("refresh_token")
            life = float(told.get("expires_in") or _LIFE)
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError):
            access, refresh, life = None, None, _LIFE
        if not isinstance(access, str) or not access:
            raise StoreError(
                "what answers at `base_url` in [outreach] of crosswalk.toml is not Outreach: it"
                " gives no access token"
            )
        kept = refresh if isinstance(refresh, str) and refresh else sent
        return Tokens(access, kept, self.clock() + life)

    def _refused(self, answer: Answer, word: str) -> StoreError:
        if word == "invalid_grant":
            return Unauthorized(
                "Outreach no longer takes the refresh token, which lives 14 days, or until access"
                f" is revoked: {_CONNECT}"
            )
        if word in ("invalid_client", "unauthorized_client"):
            return Unauthorized(
                "Outreach does not know this app: `client_id` and `client_secret` in [outreach] of"
                " crosswalk.toml do not belong together; take both from your app in Outreach"
            )
        if answer.status >= 500:
            return Unreachable(
                f"Outreach gives no access token now (status {answer.status}): try again later"
            )
        told = word if word.isidentifier() else refusal(answer.status, b"").message
        return Unauthorized(
            f"Outreach gives no access token ({told}): see that `base_url`, `client_id`,"
            f" `client_secret` and `redirect_uri` in [outreach] of crosswalk.toml are right, then"
            f" {_CONNECT}"
        )


def _error_of(answer: Answer) -> str:
    """OAuth's own word for a refusal (RFC 6749, 5.2), or nothing."""
    try:
        told = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    word = told.get("error") if isinstance(told, dict) else None
    return word if isinstance(word, str) else ""
