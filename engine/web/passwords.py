"""Passwords and tokens as they may stand in crosswalk.toml: hashed, so that none can be read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

__all__ = ["SCHEMES", "hash_password", "hash_token", "verify"]

# OWASP, "Password Storage Cheat Sheet": scrypt with N = 2^17, r = 8, p = 1.
_N, _R, _P = 2**17, 8, 1
_MEMORY = 256 * 1024 * 1024
_SALT = 16
_LENGTH = 32
#: How a hashed value begins.
SCHEMES = ("scrypt:", "sha256:")


def hash_password(password: str) -> str:
    """A password as it may stand in a file: `scrypt:N:R:P:SALT:HASH`."""
    salt = secrets.token_bytes(_SALT)
    hashed = _scrypt(password, salt, _N, _R, _P)
    return f"scrypt:{_N}:{_R}:{_P}:{_encoded(salt)}:{_encoded(hashed)}"


def hash_token(token: str) -> str:
    """A token as it may stand in a file; it is long and random, so that a quick hash will do."""
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def verify(given: str, kept: str) -> bool:
    """Whether this password or token is the one that was hashed; one that was not is no match."""
    match kept.split(":"):
        case ["scrypt", n, r, p, salt, hashed]:
            try:
                found = _scrypt(given, _decoded(salt), int(n), int(r), int(p))
                return hmac.compare_digest(found, _decoded(hashed))
            except ValueError:
                return False
        case ["sha256", _]:
            return hmac.compare_digest(hash_token(given), kept)
    return False


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=_LENGTH
    )


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
