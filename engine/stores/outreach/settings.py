"""What `[outreach]` in crosswalk.toml says of a connection, checked before anything is sent."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.ports import StoreError
from engine.secrets import Secret, SecretError, Secrets

__all__ = ["Settings", "address", "read_settings"]

_BASE = "https://api.outreach.io/api/v2"
_ROOT = "/api/v2"


@dataclass(frozen=True, slots=True)
class Settings:
    """A connection: the API's root without a slash at its end, and who comes in how.

    `origin` is scheme, host and port; requests go nowhere else. With a fixed `token` there is
    nothing to renew it by.
    """

    base: str
    origin: str
    client_id: str = ""
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    redirect_uri: str = ""
    token: Secret | None = None

    @property
    def is_sandbox(self) -> bool:
        """Whether this is a server on this very machine."""
        return self.origin.startswith("http://")

    def is_ours(self, url: str) -> bool:
        """Whether an address lies within the API that the configuration names."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}" == self.origin and url.startswith(self.base)


def read_settings(settings: Mapping[str, str], secrets: Secrets) -> Settings:
    """The settings of `[outreach]` with their references resolved. Raises `StoreError`."""
    base, origin = address(settings.get("base_url"))

    def secret(key: str) -> Secret | None:
        reference = settings.get(key)
        try:
            return secrets.get(key, reference) if reference else None
        except SecretError as error:
            raise StoreError(f"[outreach] in crosswalk.toml: {error}") from None

    token = secret("token")
    if settings.get("auth", "token" if token else "web") == "token":
        if token is None:
            raise StoreError(
                "`token` is missing in [outreach] of crosswalk.toml, where `auth` is `token`: refer"
                ' to the access token, as in token = "env:OUTREACH_TOKEN"'
            )
        return Settings(base, origin, token=token)
    client_id, client_secret = secret("client_id"), secret("client_secret")
    for key, found in (("client_id", client_id), ("client_secret", client_secret)):
        if found is None:
            raise StoreError(
                f"`{key}` is missing in [outreach] of crosswalk.toml: take it from your app in"
                f' Outreach and refer to it, as in {key} = "env:OUTREACH_{key.upper()}"'
            )
    return Settings(
        base,
        origin,
        client_id.reveal() if client_id else "",
        client_secret,
        secret("refresh_token"),
        settings.get("redirect_uri", ""),
    )


def address(text: str | None) -> tuple[str, str]:
    """The root of the API that `base_url` names, and its origin. Raises `StoreError`."""
    parts = urlsplit((text or _BASE).strip().rstrip("/"))
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.query or parts.fragment or parts.username or parts.password:
        raise StoreError(
            f"`base_url` in [outreach] of crosswalk.toml is no address of an API: write it as in"
            f' base_url = "{_BASE}"'
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise StoreError(
            f"`base_url` in [outreach] of crosswalk.toml would send secrets unencrypted to {host}:"
            " write https:// (http:// is for a sandbox server on 127.0.0.1 alone)"
        )
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin + (parts.path or _ROOT), origin


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
