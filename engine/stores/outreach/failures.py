"""What goes wrong on the way to Outreach, and in its answers, in sentences without a secret."""

from __future__ import annotations

import ssl
from typing import Any, NamedTuple

import aiohttp
import msgspec

from engine.ports import StoreError, Unauthorized, Unreachable
from engine.stores.outreach.settings import Settings

__all__ = ["Refusal", "Unsent", "body_of", "broken", "refusal", "refused"]

_SHOWN = 300
_SETTING = "in [outreach] of crosswalk.toml"


class Unsent(Unreachable):
    """The request certainly did not reach Outreach, or was not begun.

    What is `lasting` is so until somebody changes something.
    """

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class Refusal(NamedTuple):
    """A JSON:API answer's errors: the first one's `id`, all details, and the names they point to.

    Shape (developers.outreach.io): `{"errors": [{"id", "title", "detail", "source"}]}`, where
    `source` is `{"pointer": "/data/attributes/emails"}`.
    """

    code: str
    message: str
    fields: tuple[str, ...] = ()


def body_of(body: bytes) -> Any:
    """An answer's JSON. Raises `StoreError` if it is none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise StoreError(
            f"what answers at `base_url` {_SETTING} is not Outreach's API: it sends no JSON"
        ) from None


def refusal(status: int, body: bytes) -> Refusal:
    """What an answer with an error status says, in the vendor's own words as far as it has any."""
    try:
        errors = msgspec.json.decode(body)["errors"]
        found = [each for each in errors if isinstance(each, dict)]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        found = []
    if not found:
        return Refusal(f"HTTP_{status}", f"Outreach answered with status {status}")
    texts, names = [], []
    for each in found:
        # The title only says the `id` in other words.
        texts.append(str(each.get("detail") or each.get("details") or each.get("title") or ""))
        source = each.get("source")
        pointer = source.get("pointer") if isinstance(source, dict) else None
        if isinstance(pointer, str) and (name := _name(pointer)):
            names.append(name)
    message = "; ".join(dict.fromkeys(filter(None, texts)))[:_SHOWN].rstrip(".")
    code = str(found[0].get("id") or f"HTTP_{status}")
    return Refusal(code, message or f"Outreach answered with status {status}", tuple(names))


def _name(pointer: str) -> str:
    """`emails` of `/data/attributes/emails`, `stage` of `/data/relationships/stage/data/id`."""
    parts = pointer.strip("/").split("/")
    for word in ("attributes", "relationships"):
        if word in parts[:-1]:
            return parts[parts.index(word) + 1]
    return ""


def refused(status: int, body: bytes, what: str) -> StoreError:
    """The error for an answer that is no result; `what` was asked for, in the user's words."""
    found = refusal(status, body)
    if status == 401:
        return Unauthorized(
            f"Outreach refuses the access token for {what}: run `crosswalk connect outreach`, or"
            f" put a new one where `token` {_SETTING} refers to"
        )
    if status == 403 and "scope" in found.code.casefold():
        return Unauthorized(
            f"Outreach does not let this connection use {what}: {found.message}. Add the scope to"
            " your app in Outreach, then run `crosswalk connect outreach`"
        )
    if status == 403:
        return Unauthorized(
            f"Outreach does not let the connected user use {what}: {found.message}. Have an"
            " administrator of Outreach permit it"
        )
    if 300 <= status < 400:
        return StoreError(
            f"what answers at `base_url` {_SETTING} sends us elsewhere, where we do not go with a"
            " token: write the address of the API itself"
        )
    if status == 429 or status >= 500:
        return Unreachable(f"Outreach cannot answer for {what} now: {found.message}")
    if status == 404 and found.code == "HTTP_404":
        return StoreError(
            f"there is no Outreach API at `base_url` {_SETTING}: write its root, as in"
            ' base_url = "https://api.outreach.io/api/v2"'
        )
    return StoreError(f"Outreach refused to answer for {what}: {found.code}: {found.message}")


def broken(error: Exception, settings: Settings) -> Unreachable:
    """A connection that failed; `Unsent` if it did before anything was sent."""
    where = settings.origin
    match error:
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
            return Unsent(
                f"{where} shows a certificate that cannot be trusted here: correct `base_url`"
                f" {_SETTING}, or have this machine trust who signed it",
                lasting=True,
            )
        case aiohttp.ClientConnectorDNSError():
            return Unsent(
                f"{where} cannot be found: correct `base_url` {_SETTING}, or see that this machine"
                " can look up names"
            )
        case aiohttp.ClientSSLError():
            return Unsent(
                f"{where} does not speak TLS as it should: correct `base_url` {_SETTING}",
                lasting=True,
            )
        case aiohttp.ClientConnectorError():
            return Unsent(
                f"{where} cannot be reached ({error.os_error.strerror or 'no connection'}): see"
                f" that this machine is online, and that `base_url` {_SETTING} is right"
            )
        case aiohttp.ConnectionTimeoutError():
            return Unsent(f"{where} cannot be reached: no connection came about in time")
        case TimeoutError():
            return Unreachable(f"{where} did not answer in time")
        case _:
            return Unreachable(f"{where} broke off the connection before it had answered")
