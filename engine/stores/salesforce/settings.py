"""What crosswalk.toml says of the connection to Salesforce, as the store goes by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from dsl.schema import Side
from engine.connections import host_of, is_loopback, problems_of
from engine.ports import StoreError
from engine.secrets import Secret, SecretError, Secrets

__all__ = ["Settings", "same_host", "settings_of"]

_PRODUCTION = "https://login.salesforce.com"


@dataclass(frozen=True)
class Settings:
    """`instance_url` and `login_url` are scheme and host alone."""

    auth: str
    instance_url: str
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
    """The settings of [salesforce]. Raises `StoreError` with what to write instead.

    A login by client credentials is at the org's own address, and so is one on this machine.
    """
    problems = problems_of(Side.SALESFORCE, given)
    if problems:
        raise StoreError("; ".join(problems))
    auth, instance = given["auth"], _origin(given["instance_url"])
    mine = auth == "client_credentials" or is_loopback(instance)
    login = given.get("login_url") or (instance if mine else _PRODUCTION)
    return Settings(auth, instance, _origin(login), given, secrets)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def same_host(one: str, other: str) -> bool:
    """Whether two addresses lead to one host; all names of this machine are one."""
    if is_loopback(one) and is_loopback(other):
        return urlsplit(one).port == urlsplit(other).port
    return host_of(one).lower().removesuffix(":443") == host_of(other).lower().removesuffix(":443")
