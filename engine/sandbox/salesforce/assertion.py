"""Checks the assertion of the JWT bearer flow against the connected app's certificate."""

from __future__ import annotations

from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from engine.sandbox.salesforce.box import Box
from engine.sandbox.salesforce.oauth_error import OAuthError

__all__ = ["subject_of"]

_LOGINS = ("https://login.salesforce.com", "https://test.salesforce.com")


def subject_of(box: Box, assertion: str, own: str) -> str:
    """The user whom a valid assertion names; `own` is the org's address. Raises `OAuthError`.

    Its audience may be a login host or the org itself. Its `exp` may lie any time ahead:
    Salesforce's documentation asks for three minutes, and its own CLI sends milliseconds.
    """
    claims = _claims(box, assertion)
    if claims.get("iss") != box.identity.client_id:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    audience = claims.get("aud")
    wanted = {_host(word) for word in (*_LOGINS, own)}
    given = audience if isinstance(audience, list) else [audience]
    if wanted.isdisjoint(_host(str(word).rstrip("/")) for word in given):
        raise OAuthError("invalid_grant", "audience is invalid")
    _see_expiry(box, claims.get("exp"))
    if claims.get("sub") != box.identity.username:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    return str(claims["sub"])


def _host(address: str) -> str:
    return address.removeprefix("https://").removeprefix("http://")


def _claims(box: Box, assertion: str) -> dict[str, Any]:
    if box.identity.certificate is None:
        raise OAuthError("invalid_client", "the connected app has no certificate for assertions")
    pem = box.identity.certificate.encode()
    certified = b"BEGIN CERTIFICATE" in pem
    key = load_pem_x509_certificate(pem).public_key() if certified else load_pem_public_key(pem)
    # Expiry goes by the org's own clock, and the audience may be one of several: see below.
    unchecked = dict.fromkeys(("verify_exp", "verify_aud", "verify_iat", "verify_nbf"), False)
    try:
        found: dict[str, Any] = jwt.decode(assertion, key, ["RS256"], unchecked)  # type: ignore[arg-type]
    except jwt.InvalidTokenError:
        raise OAuthError("invalid_grant", "invalid assertion") from None
    return found


def _see_expiry(box: Box, given: Any) -> None:
    try:
        until = float(given)
    except (TypeError, ValueError):
        raise OAuthError("invalid_grant", "expiration is missing or invalid") from None
    if until <= box.sessions.clock.now().timestamp():
        raise OAuthError("invalid_grant", "token expired")
