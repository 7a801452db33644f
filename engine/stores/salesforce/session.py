"""The HTTP session that simple-salesforce sends through: one host, bounded waits, loopback."""

from __future__ import annotations

from ssl import SSLCertVerificationError
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
)

from engine.connections import host_of, is_loopback
from engine.ports import StoreError, Unreachable
from engine.sessions import Sober

__all__ = ["Unsent", "as_store_error", "open_session", "redirect_of"]

#: Seconds to connect, and to wait for an answer: Salesforce gives a query two minutes.
_TIMEOUT = (10.0, 150.0)


class Unsent(Unreachable):
    """The request certainly did not leave this machine. `passes` is whether to try it again."""

    def __init__(self, message: str, *, passes: bool) -> None:
        super().__init__(message)
        self.passes = passes


class _Timed(HTTPAdapter):
    """No request waits for ever, whoever sends it."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        kwargs["timeout"] = kwargs.get("timeout") or _TIMEOUT
        return super().send(request, *args, **kwargs)


class _Loopback(_Timed):
    """simple-salesforce speaks https alone, and a sandbox server on this machine speaks http."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        request.url = "http" + (request.url or "").removeprefix("https")
        request.headers["Accept-Encoding"] = "identity"  # no network that packing would spare
        kwargs["proxies"] = None
        return super().send(request, *args, **kwargs)


class _Refused(HTTPAdapter):
    """Lets nothing through to a host that the configuration does not name."""

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> Any:
        host = urlsplit(request.url or "").hostname
        raise Unsent(f"{host} is not a host of [salesforce] in crosswalk.toml", passes=False)


def open_session(urls: list[str]) -> requests.Session:
    """A session that goes to these addresses alone, each `https`, or `http` on loopback."""
    session = Sober()
    session.mount("https://", _Refused())
    session.mount("http://", _Refused())
    for url in urls:
        plain = url.startswith("http://") and is_loopback(url)
        session.mount(f"https://{host_of(url)}/", _Loopback() if plain else _Timed())
    return session


def redirect_of(response: requests.Response) -> str | None:
    """The other host that an answer sends us to, which nothing is sent to."""
    where = response.headers.get("Location", "")
    return (urlsplit(where).hostname or where) if 301 <= response.status_code <= 308 else None


def as_store_error(error: requests.RequestException, url: str) -> StoreError:
    """What went wrong on the way, in words: `Unsent` if the request certainly never left."""
    host = urlsplit(url).netloc
    cause = getattr(error.args[0], "reason", error.args[0]) if error.args else error
    if isinstance(cause, SSLError) and isinstance(cause.args[0], SSLCertVerificationError):
        return Unsent(
            f"the certificate of {host} cannot be verified: check `instance_url` and `login_url`,"
            " or, behind a proxy that reads along, name its certificates in REQUESTS_CA_BUNDLE",
            passes=False,
        )
    if isinstance(cause, NameResolutionError):
        return Unsent(
            f"there is no host {host}, or this machine cannot look it up: check `instance_url` in"
            " [salesforce] and the network",
            passes=False,
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return Unsent(f"the proxy before {host} cannot be used: check HTTPS_PROXY", passes=True)
    if isinstance(error, requests.ConnectTimeout) or isinstance(
        cause, NewConnectionError | ConnectTimeoutError
    ):
        return Unsent(f"{host} takes no connection: it may be down, or a firewall", passes=True)
    if isinstance(error, requests.Timeout):
        return Unreachable(f"{host} did not answer in time")
    return Unreachable(f"the connection to {host} broke off")
