"""Records of what people do in Outreach, put into a world's org as Outreach itself fills them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsl.values import stamp
from engine.stores.local import load
from tests.engine.world import O, World

__all__ = ["put", "put_all"]


def put(world: World, type_name: str, record: int, **values: Any) -> None:
    """One record as it is now; a tuple (type, id) is a reference."""
    world.clock.pass_(minutes=1)
    put_all(world, type_name, {record: values})


def put_all(world: World, type_name: str, records: Mapping[int, Mapping[str, Any]]) -> None:
    """Many records of a type, read-only fields included."""
    now = stamp(world.clock.now())
    told = [_resource(type_name, record, values, now) for record, values in records.items()]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"{type_name}.json").write_text(json.dumps(told), encoding="utf-8")
        load(world.orgs[O], Path(folder))


def _resource(type_name: str, record: int, values: Mapping[str, Any], now: str) -> dict[str, Any]:
    links = {k: v for k, v in values.items() if isinstance(v, tuple)}
    return {
        "type": type_name,
        "id": record,
        "attributes": {"createdAt": now, "updatedAt": now}
        | {k: v for k, v in values.items() if k not in links},
        "relationships": {
            name: {"data": {"type": type_, "id": other}} for name, (type_, other) in links.items()
        },
    }
