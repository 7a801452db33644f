"""[console] of crosswalk.toml: who may look at the console, who may approve, by which name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.secrets import REFERENCES

__all__ = ["KEYS", "ROLES", "Console", "Person", "console_of"]

#: What somebody may do: `approve` may look as well, and `metrics` may do that alone.
ROLES = {"users": ("look", "approve"), "tokens": ("look", "approve", "metrics")}
#: The keys of [console].
KEYS = {"users", "tokens", "hosts"}
_SECRET = {"users": "password", "tokens": "token"}
_HASHED = ("scrypt:", "sha256:")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, or a program, that may log in; `secret` is hashed, or a reference to a secret."""

    name: str
    secret: str = field(repr=False)
    role: str = "look"


@dataclass(frozen=True, slots=True)
class Console:
    """Who may use the console, and the names of hosts by which it is asked for besides its own."""

    users: tuple[Person, ...] = ()
    tokens: tuple[Person, ...] = ()
    hosts: tuple[str, ...] = ()


def console_of(section: Any, problems: list[str]) -> Console:
    """The checked section; what is wrong in it is added to `problems`."""
    if section is None:
        return Console()
    if not isinstance(section, dict):
        problems.append("`console` is a section: write [console] and its keys below")
        return Console()
    known = ", ".join(f"`{key}`" for key in sorted(KEYS))
    problems += [
        f"unknown key `{key}` in [console]; known are {known}" for key in section if key not in KEYS
    ]
    hosts = section.get("hosts", [])
    if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
        problems.append('`hosts` in [console] is a list of names, such as ["sync.acme.example"]')
        hosts = []
    people = {kind: tuple(_people(kind, section.get(kind, {}), problems)) for kind in _SECRET}
    return Console(people["users"], people["tokens"], tuple(hosts))


def _people(kind: str, table: Any, problems: list[str]) -> list[Person]:
    key = _SECRET[kind]
    if not isinstance(table, Mapping) or not all(isinstance(v, Mapping) for v in table.values()):
        problems.append(f"write each of the console's {kind} as a section: [console.{kind}.NAME]")
        return []
    found = []
    for name, values in table.items():
        where = f"[console.{kind}.{name}]"
        problems += [
            f"unknown key `{other}` in {where}; known are `{key}` and `role`"
            for other in values
            if other not in (key, "role")
        ]
        secret, role = values.get(key), values.get("role", "look")
        if role not in ROLES[kind]:
            known = " or ".join(f"`{each}`" for each in ROLES[kind])
            problems.append(f"`role` in {where} is `{role}`: write {known}")
        elif not isinstance(secret, str):
            problems.append(f"`{key}` is missing in {where}: `crosswalk serve --hash-password`")
        elif not secret.startswith((*_HASHED, *REFERENCES)):
            problems.append(
                f"`{key}` in {where} is a secret written as plain text: write it hashed, as"
                " `crosswalk serve --hash-password` does, or refer to it, as `env:NAME`"
            )
        else:
            found.append(Person(name, secret, role))
    return found
