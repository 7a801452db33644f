"""What each kind of connection takes in `crosswalk.toml`, and what is told if it is not there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dsl.schema import Side

__all__ = [
    "AUTHS",
    "SECRETS",
    "host_of",
    "is_loopback",
    "known_keys",
    "problems_of",
    "without_password",
    "wrong_hook",
]

#: Keys whose values are secrets, and so references to where they are.
SECRETS = frozenset(
    {
        "client_secret",
        "password",
        "private_key",
        "refresh_token",
        "security_token",
        "token",
        "webhook_secret",
    }
)
#: The ways to come in to Salesforce: the keys that each needs.
AUTHS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "client_credentials": ("client_id", "client_secret"),
        "jwt": ("client_id", "username", "private_key"),
        "password": ("username", "password"),
        "token": ("token",),
        "web": ("client_id",),
    }
)
_COMMON = frozenset({"store", "path", "client_id", "redirect_uri"}) | SECRETS
_OWN = {
    Side.SALESFORCE: frozenset({"auth", "instance_url", "login_url", "username"}),
    Side.OUTREACH: frozenset({"base_url"}),
}
_URLS = {Side.SALESFORCE: ("instance_url", "login_url"), Side.OUTREACH: ("base_url",)}
_EXAMPLE = {
    "instance_url": "https://acme.my.salesforce.com",
    "login_url": "https://login.salesforce.com",
    "base_url": "https://api.outreach.io",
}


def known_keys(side: Side) -> frozenset[str]:
    """The keys that a section of `crosswalk.toml` may have."""
    return _COMMON | _OWN[side]


def problems_of(side: Side, section: Mapping[str, Any]) -> list[str]:
    """What is wrong with a connection to a vendor, in sentences; other stores check their own."""
    if section.get("store") != side.value:
        return []
    problems = [
        problem for key in _URLS[side] if (problem := _wrong_url(side, key, section.get(key)))
    ]
    return problems + (_salesforce(section) if side is Side.SALESFORCE else _outreach(section))


def _salesforce(section: Mapping[str, Any]) -> list[str]:
    problems = [] if "instance_url" in section else [_missing("instance_url", Side.SALESFORCE)]
    auth = section.get("auth")
    if not isinstance(auth, str) or auth not in AUTHS:
        ways = ", ".join(f"`{each}`" for each in AUTHS)
        what = "is missing" if auth is None else f"is `{auth}`, which is no way to authorise"
        return [*problems, f"`auth` in [salesforce] {what}: write one of {ways}"]
    return problems + [
        f'`{key}` is missing in [salesforce]: auth = "{auth}" needs {_listed(AUTHS[auth])}'
        for key in AUTHS[auth]
        if key not in section
    ]


def _outreach(section: Mapping[str, Any]) -> list[str]:
    if "token" in section:
        return []
    wanted = ("client_id", "client_secret")
    return [
        f"`{key}` is missing in [outreach]: it needs {_listed(wanted)} of the OAuth application"
        for key in wanted
        if key not in section
    ]


def _missing(key: str, side: Side) -> str:
    return f'`{key}` is missing in [{side}]: write {key} = "{_EXAMPLE[key]}"'


def _listed(keys: tuple[str, ...]) -> str:
    *first, last = (f"`{key}`" for key in keys)
    return f"{', '.join(first)} and {last}" if first else last


def _wrong_url(side: Side, key: str, url: Any) -> str | None:
    from urllib.parse import urlsplit  # noqa: PLC0415 - for a lint of local orgs it would be slow

    if not isinstance(url, str):
        return None  # a wrong type is told already, and a missing key where it is needed
    parts = urlsplit(url)
    right = parts.scheme in ("https", "http") and parts.hostname and not parts.username
    if not right or parts.query or parts.fragment or parts.path.strip("/"):
        shown = without_password(url)
        return f'`{key}` in [{side}] is `{shown}`: write an address such as "{_EXAMPLE[key]}"'
    if parts.scheme == "http" and not is_loopback(url):
        return (
            f"`{key}` in [{side}] is `{url}`: what is sent there could be read on its way;"
            " write https:// (http:// is for this machine alone, as http://127.0.0.1:8080)"
        )
    return None


def wrong_hook(url: str) -> str | None:
    """What is wrong with the `url` of [webhooks], in a sentence."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - for a lint of local orgs it would be slow

    parts, example = urlsplit(url), "https://crosswalk.acme.com"
    right = parts.scheme in ("https", "http") and parts.hostname and not parts.username
    if not right or parts.query or parts.fragment:
        return f"`url` in [webhooks] is `{url}`: write an address such as `{example}`"
    if parts.scheme == "http" and not is_loopback(url):
        return (
            f"`url` in [webhooks] is `{url}`: what Outreach sends there could be read on its way;"
            f" write https://, as in `{example}`"
        )
    return None


def without_password(url: str) -> str:
    """An address as it may be shown: without who comes in by it, and without what it asks."""
    scheme = url.partition("://")[0] + "://" if "://" in url else ""
    _, at, place = url.removeprefix(scheme).rpartition("@")
    host, question, _ = place.partition("?")
    return f"{scheme}{'…@' if at else ''}{host}{'?…' if question else ''}"


def host_of(url: str) -> str:
    """The host and port of an address, as a connection takes them."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - likewise

    return urlsplit(url).netloc


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own, which no name can promise but `localhost`."""
    from ipaddress import ip_address  # noqa: PLC0415 - likewise
    from urllib.parse import urlsplit  # noqa: PLC0415 - likewise

    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
