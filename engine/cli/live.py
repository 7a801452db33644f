"""The schema that the connected orgs have, for `lint --live`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

from dsl.schema import ObjectType, Schema, Side, shipped_schema
from engine.cli.project import Project
from engine.ports import Store

__all__ = ["live_schema"]


class _Described(Mapping[tuple[Side, str], ObjectType]):
    """What both stores describe, each type asked for once, when a rule names it."""

    def __init__(self, stores: Mapping[Side, Store]) -> None:
        self._stores = stores
        self._known: dict[tuple[Side, str], ObjectType | None] = {}

    def __getitem__(self, key: tuple[Side, str]) -> ObjectType:
        if key not in self._known:
            self._known[key] = self._stores[key[0]].describe(key[1])
        found = self._known[key]
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[tuple[Side, str]]:
        """The standard types' names: no vendor is asked for all just to word a suggestion."""
        return iter(shipped_schema().types)

    def __len__(self) -> int:
        return len(shipped_schema().types)


def live_schema(project: Project) -> Schema:
    """The schema of the project's orgs, which stay connected until the process ends.

    Raises `Failure` or `StoreError`; so does a look into the schema.
    """
    return Schema(_Described(project.open_stores(ExitStack())), complete=True)
