"""The web server flow: where a user lets Crosswalk in, and what their code is worth."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from contextlib import closing
from typing import NamedTuple
from urllib.parse import urlencode

from engine.ports import Tokens
from engine.secrets import Secrets
from engine.stores.salesforce.login import redeem
from engine.stores.salesforce.session import open_session
from engine.stores.salesforce.settings import settings_of

__all__ = ["Consent", "ask_consent", "tokens_for"]

_SCOPE = "api refresh_token"


class Consent(NamedTuple):
    """Where to send the user's browser, and what to keep until it comes back.

    The answer is sent to the redirect URI as `code` and `state`, or as `error`; another `state`
    than this one is not ours. `verifier` is a secret (PKCE).
    """

    url: str
    state: str
    verifier: str

    def __repr__(self) -> str:
        return "Consent(…)"


def ask_consent(settings: Mapping[str, str], secret: Secrets, redirect_uri: str) -> Consent:
    """Where a user lets the connected app in. Raises `StoreError` where the settings are wrong."""
    checked = settings_of(settings, secret)
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": checked.get("client_id").reveal(),
        "redirect_uri": redirect_uri,
        "scope": _SCOPE,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    url = f"{checked.login_url}/services/oauth2/authorize?{urlencode(query)}"
    return Consent(url, state, verifier)


def tokens_for(
    settings: Mapping[str, str], secret: Secrets, code: str, redirect_uri: str, verifier: str
) -> Tokens:
    """What the code of a user who let us in is worth; it is good once.

    Raises `Unauthorized`, `Unreachable` and `StoreError`.
    """
    checked = settings_of(settings, secret)
    with closing(open_session([checked.login_url])) as session:
        return redeem(checked, session, code, redirect_uri, verifier)
