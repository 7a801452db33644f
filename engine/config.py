"""`crosswalk.toml`: read whole, checked whole, every mistake told with what to write instead."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsl.schema import Side
from engine.connections import SECRETS, known_keys, problems_of, without_password, wrong_hook
from engine.console import Console, console_of
from engine.secrets import REFERENCES

if TYPE_CHECKING:  # imported where a project is read, which a lint of single files does not do
    from zoneinfo import ZoneInfo

__all__ = ["FILE", "KNOWN", "Config", "ConfigError", "StoreConfig", "read_config"]

FILE = "crosswalk.toml"

_PROJECT = {"name", "rules", "ledger", "timezone", "log_days"}
_COUNTS = {"log_days"}
_LOG_DAYS = 30
_MOST_DAYS = 36_500
_CONSOLE = "console"
_ALERTS = {"webhook", "slack", "email_to", "email_from", "smtp", "smtp_user", "smtp_password"}
_ALERT_SECRETS = ("slack", "smtp_password")
#: The keys of each section, but for [console].
KNOWN: Mapping[str, Set[str]] = {
    "alerts": _ALERTS,
    "webhooks": {"url"},
    "telemetry": {"endpoint", "authorization"},
    "project": _PROJECT,
    **{side.value: known_keys(side) for side in Side},
}


class ConfigError(Exception):
    """`crosswalk.toml` is missing or wrong; `problems` has one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class StoreConfig:
    """One connection: the kind of store, and its settings as they stand in the file."""

    side: Side
    store: str
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Config:
    """A checked `crosswalk.toml`; `ledger` is a URL, `rules_name` the folder as it is written.

    `log_days` is how long rows of the technical log are kept, `webhooks` the address by which
    Outreach reaches this project's service, if it has one.
    """

    root: Path
    name: str
    rules: Path
    rules_name: str
    ledger: str
    timezone: ZoneInfo
    log_days: int
    stores: Mapping[Side, StoreConfig]
    console: Console = field(default_factory=Console)
    alerts: Mapping[str, str] = field(default_factory=dict)
    webhooks: str = ""
    telemetry: Mapping[str, str] = field(default_factory=dict)

    def org_path(self, side: Side) -> Path | None:
        """The file of a side's local org, be it connected as it is or behind a sandbox server."""
        path = self.stores[side].settings.get("path")
        return None if path is None else self.root / path


def read_config(root: Path) -> Config:
    """The configuration of the project in `root`. Raises `ConfigError`."""
    path = root / FILE
    data = _read(path)
    problems = list(_unknown_keys(data))
    problems += _wrong_types(data)
    problems += _plain_secrets(data)
    project = data.get("project", {}) if isinstance(data.get("project"), dict) else {}
    zone = _zone(project.get("timezone", "UTC"), problems)
    days = _log_days(project.get("log_days", _LOG_DAYS), problems)
    stores = {side: _store(side, data.get(side.value), problems) for side in Side}
    console = console_of(data.get(_CONSOLE), problems)
    alerts = _alerts(data.get("alerts", {}), problems)
    webhooks = _webhooks(data.get("webhooks", {}), problems)
    telemetry = _telemetry(data.get("telemetry", {}), problems)
    ledger = project.get("ledger", "sqlite:///crosswalk.db")
    if isinstance(ledger, str) and not ledger.startswith("sqlite:///"):
        problems.append(
            f"`ledger` in [project] is `{without_password(ledger)}`: this version keeps its ledger"
            " in SQLite,"
            ' as in `ledger = "sqlite:///crosswalk.db"`'
        )
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return Config(
        root=root,
        name=project.get("name", root.name),
        rules=root / project.get("rules", "rules"),
        rules_name=project.get("rules", "rules"),
        ledger=ledger,
        timezone=zone,
        log_days=days,
        stores=stores,
        console=console,
        alerts=alerts,
        webhooks=webhooks,
        telemetry=telemetry,
    )


def _read(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - lazy

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            [
                (
                    f"there is no {FILE} in {path.parent}: go to a project's folder, name it with"
                    " `--project DIR`, or make one with `crosswalk init DIR`"
                )
            ]
        ) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path} is not UTF-8: save it as UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path} is not valid TOML: {error}"]) from None
    except OSError as error:
        raise ConfigError([f"{path} cannot be read: {error.strerror}"]) from None


def _unknown_keys(data: dict[str, Any]) -> list[str]:
    problems = []
    for section, values in data.items():
        if section == _CONSOLE:
            continue
        if section not in KNOWN:
            known = {*KNOWN, _CONSOLE}
            problems.append(f"unknown section [{section}]{_meant(section, known, '[{}]')}")
        elif isinstance(values, dict):
            problems += [
                f"unknown key `{key}` in [{section}]{_meant(key, KNOWN[section], '`{}`')}"
                for key in values
                if key not in KNOWN[section]
            ]
    return problems


def _meant(word: str, known: Mapping[str, Any] | Set[str], form: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - lazy

    near = get_close_matches(word, list(known), 1)
    if near:
        return f"; did you mean {form.format(near[0])}?"
    return f"; known are {', '.join(form.format(k) for k in sorted(known))}"


def _wrong_types(data: dict[str, Any]) -> list[str]:
    problems = []
    for section in KNOWN.keys() & data.keys():
        values = data[section]
        if not isinstance(values, dict):
            problems.append(f"`{section}` is a section: write [{section}] and its keys below")
            continue
        problems += [
            f"`{key}` in [{section}] takes a text in quotes"
            for key, value in values.items()
            if key in KNOWN[section] - _COUNTS and not isinstance(value, str)
        ]
    return problems


def _plain_secrets(data: dict[str, Any]) -> list[str]:
    return [
        f"`{key}` in [{side}] is a secret written as plain text: take it out of the file and refer"
        f" to it, as `env:NAME`, `file:PATH` or `keyring:SERVICE/NAME`"
        for side in Side
        if isinstance(data.get(side.value), dict)
        for key, value in data[side.value].items()
        if key in SECRETS and isinstance(value, str) and not value.startswith(REFERENCES)
    ]


def _zone(name: Any, problems: list[str]) -> ZoneInfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - lazy

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError):
        problems.append(f"`timezone` in [project] is `{name}`: write one such as `Europe/Paris`")
        return ZoneInfo("UTC")


def _log_days(days: Any, problems: list[str]) -> int:
    if isinstance(days, int) and not isinstance(days, bool) and 0 < days <= _MOST_DAYS:
        return days
    problems.append(
        f"`log_days` in [project] is `{days}`: write a whole number of days from 1 to"
        f" {_MOST_DAYS:,}, without quotes, such as `log_days = {_LOG_DAYS}`"
    )
    return _LOG_DAYS


def _alerts(section: Any, problems: list[str]) -> dict[str, str]:
    """Where `crosswalk serve` tells of troubles."""
    if not isinstance(section, dict):
        return {}  # which is told already
    problems += [
        f"`{key}` in [alerts] is a secret written as plain text: refer to it, as `env:NAME`,"
        " `file:PATH` or `keyring:SERVICE/NAME`"
        for key in _ALERT_SECRETS
        if isinstance(section.get(key), str) and not section[key].startswith(REFERENCES)
    ]
    if "email_to" in section and "smtp" not in section:
        problems.append('`smtp` is missing in [alerts]: write smtp = "mail.acme.com:587"')
    return dict(section)


def _webhooks(section: Any, problems: list[str]) -> str:
    """Where Outreach is to call."""
    url = section.get("url", "") if isinstance(section, dict) else ""
    if not isinstance(url, str) or not url:
        return ""  # a wrong type is told already
    if (problem := wrong_hook(url)) is not None:
        problems.append(problem)
    return url


def _telemetry(section: Any, problems: list[str]) -> dict[str, str]:
    """Where `crosswalk serve` sends traces."""
    if not isinstance(section, dict):
        return {}  # which is told already
    endpoint = section.get("endpoint", "")
    written = isinstance(endpoint, str)  # another type is told already
    if (
        section
        and written
        and (not endpoint.startswith(("https://", "http://")) or "@" in endpoint)
    ):
        problems.append(
            "`endpoint` in [telemetry] is the address of a collector that takes OTLP over HTTP:"
            ' write one such as endpoint = "http://127.0.0.1:4318"'
        )
    secret = section.get("authorization")
    if isinstance(secret, str) and not secret.startswith(REFERENCES):
        problems.append(
            "`authorization` in [telemetry] is a secret written as plain text: refer to it, as"
            " `env:NAME`, `file:PATH` or `keyring:SERVICE/NAME`"
        )
    return dict(section)


def _store(side: Side, section: Any, problems: list[str]) -> StoreConfig:
    if not isinstance(section, dict):
        if section is None:
            problems.append(
                f'there is no [{side}]: write it with a `store`, such as store = "local"'
                f' and path = "{side}.db"'
            )
        return StoreConfig(side, "local", {})
    store = section.get("store")
    if store is None:
        problems.append(f'`store` is missing in [{side}]: write store = "local", or another')
    if store == "local" and "path" not in section:
        problems.append(
            f'`path` is missing in [{side}]: a local org is a file, such as path = "{side}.db"'
        )
    problems += problems_of(side, section)
    return StoreConfig(side, str(store), section)
