"""What crosswalk.toml says of the connection to Salesforce, checked before anything is sent."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from engine.ports import StoreError
from engine.secrets import Secret, SecretError, Secrets

__all__ = ["AUTHS", "Settings", "host_of", "is_loopback", "same_host", "settings_of"]

#: The ways to log in, and the settings that each needs besides addresses.
AUTHS: Mapping[str, tuple[str, ...]] = {
    "jwt": ("client_id", "username", "private_key"),
    "client_credentials": ("client_id", "client_secret"),
    "web": ("client_id",),
    "token": ("token",),
    "password": ("username", "password"),
}
_PRODUCTION = "https://login.salesforce.com"
_EXAMPLE = "https://acme.my.salesforce.com"


@dataclass(frozen=True)
class Settings:
    """`instance_url` and `login_url` are scheme and host alone; None is what a login tells."""

    auth: str
    instance_url: str | None
    login_url: str
    _given: Mapping[str, str] = field(repr=False)
    _secrets: Secrets = field(repr=False)

    def has(self, key: str) -> bool:
        return bool(self._given.get(key))

    def get(self, key: str) -> Secret:
        """The value of a setting that is there. Raises `StoreError`."""
        try:
            return self._secrets.get(key, self._given[key])
        except SecretError as error:
            raise StoreError(str(error)) from None


def settings_of(given: Mapping[str, str], secrets: Secrets) -> Settings:
    """The settings of [salesforce]. Raises `StoreError` with what to write instead."""
    auth = given.get("auth", "")
    if auth not in AUTHS:
        known = ", ".join(AUTHS)
        said = f"is `{auth}`" if auth else "is missing"
        raise StoreError(f"`auth` in [salesforce] {said}: write one of {known}")
    missing = [key for key in AUTHS[auth] if not given.get(key)]
    if missing:
        names = ", ".join(f"`{key}`" for key in missing)
        raise StoreError(f'{names} in [salesforce] is missing, which auth = "{auth}" needs')
    instance = _address("instance_url", given)
    login = _address("login_url", given)
    if instance is None and auth in ("token", "client_credentials"):
        raise StoreError(
            "`instance_url` in [salesforce] is missing: write your org's My Domain, such as"
            f' instance_url = "{_EXAMPLE}"'
        )
    if login is None:
        mine = instance is not None and (auth == "client_credentials" or is_loopback(instance))
        login = (instance if mine else None) or _PRODUCTION
    return Settings(auth, instance, login, given, secrets)


def _address(key: str, given: Mapping[str, str]) -> str | None:
    """The scheme and host of an address in lower case; None if it is not given."""
    text = given.get(key, "").strip()
    if not text:
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise StoreError(f"`{key}` in [salesforce] is no address: {_advice(key)}") from None
    if parts.username or parts.password:
        raise StoreError(f"`{key}` in [salesforce] has a user in it: {_advice(key)}")
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise StoreError(f"`{key}` in [salesforce] is no scheme and host alone: {_advice(key)}")
    host = parts.hostname if port is None else f"{parts.hostname}:{port}"
    url = f"{parts.scheme}://{host}"
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
        raise StoreError(f"`{key}` in [salesforce] is not https: {_advice(key)}")
    return url


def _advice(key: str) -> str:
    return f'write it as in {key} = "{_EXAMPLE if key == "instance_url" else _PRODUCTION}"'


def is_loopback(url: str) -> bool:
    """Whether an address is this very machine's, where plain http goes over no network."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """The host of an address, with its port if it has one of its own."""
    return urlsplit(url).netloc.lower().removesuffix(":443")


def same_host(one: str, other: str) -> bool:
    """Whether two addresses lead to one host; all names of this machine are one."""
    if is_loopback(one) and is_loopback(other):
        return urlsplit(one).port == urlsplit(other).port
    return host_of(one) == host_of(other)
