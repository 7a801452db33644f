"""OAuth's web flow: an address to open in a browser, and tokens for the code it comes back with.

RFC 6749 section 4.1, with PKCE as in RFC 7636.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from engine.ports import Tokens, Unauthorized, Unreachable
from engine.secrets import Secret
from engine.sessions import Sober

__all__ = ["WebFlow"]

_PATIENCE = 30.0  # seconds that the token endpoint may take


@dataclass(frozen=True)
class WebFlow:
    """One authorisation by a person in a browser. `vendor` is named to them."""

    vendor: str
    authorize_url: str
    token_url: str
    client_id: str
    client_secret: Secret | None
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    def address(self) -> str:
        """What to open in the browser."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(self.scopes),
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{self.authorize_url}?{urlencode(asked)}"

    def tokens(self, answer: str) -> Tokens:
        """The tokens for the address that the browser was sent back to.

        Raises `Unauthorized` if the person said no, if the answer is not to this question, or if
        the vendor refuses the code; `Unreachable` if it does not answer.
        """
        said = {key: each[0] for key, each in parse_qs(urlsplit(answer).query).items()}
        if "error" in said:
            why = said.get("error_description") or said["error"]
            advice = ""
            if said["error"] == "invalid_scope":
                scopes = ", ".join(f"`{scope}`" for scope in self.scopes)
                advice = f"; give the app in {self.vendor} the scopes {scopes}, then try again"
            raise Unauthorized(f"{self.vendor} did not authorise: {why}{advice}")
        if not secrets.compare_digest(said.get("state", ""), self.state):
            raise Unauthorized(
                "the address is not the answer to this authorisation: it may be an older one;"
                " start anew with `crosswalk connect`"
            )
        if "code" not in said:
            raise Unauthorized("the address has no code: copy it whole from the browser")
        return self._exchanged(said["code"])

    def _exchanged(self, code: str) -> Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "client_id": self.client_id,
            "code_verifier": self.verifier,
        }
        if self.client_secret is not None:
            form["client_secret"] = self.client_secret.reveal()
        try:
            with Sober() as session:
                said: Any = session.post(self.token_url, data=form, timeout=_PATIENCE).json()
        except requests.JSONDecodeError:
            said = None
        except requests.RequestException as error:
            raise Unreachable(
                f"{self.vendor} could not be reached at {self.token_url}: {type(error).__name__}"
            ) from None
        if not isinstance(said, dict) or "access_token" not in said:
            raise Unauthorized(f"{self.vendor} refused the code: {_reason(said)}")
        lifetime = said.get("expires_in")
        return Tokens(
            access=str(said["access_token"]),
            refresh=said.get("refresh_token"),
            expires=time.time() + float(lifetime) if lifetime else None,
            instance_url=said.get("instance_url"),
        )


def _reason(said: Any) -> str:
    """The vendor's own words, which RFC 6749 section 5.2 keeps free of secrets."""
    if not isinstance(said, dict):
        return "its answer is no JSON; is the address right?"
    return str(said.get("error_description") or said.get("error") or "it gave no token")
