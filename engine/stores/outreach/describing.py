"""The types as this org has them: the published ones, with its own labels, if it offers them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dsl.schema import Field, ObjectType, Side, is_custom, shipped_schema
from engine.ports import StoreError
from engine.stores.outreach.failures import body_of, refused
from engine.stores.outreach.lists import Lists
from engine.stores.outreach.paths import plural
from engine.stores.outreach.transport import Request

__all__ = ["Types"]

#: Types that Outreach's published API has no endpoint for; a sandbox server does.
_NOT_PUBLISHED = ("meeting", "text")
_NOT_OFFERED = (400, 403, 404, 405, 422)


@dataclass
class Types:
    """Describes types, each asked for once; a custom field's label comes from `GET /types`."""

    lists: Lists
    _known: dict[str, ObjectType | None] = field(default_factory=dict)
    _labels: dict[str, dict[str, str]] | None = None

    def of(self, name: str) -> ObjectType | None:
        """The type, or None if this org has none such. Raises `StoreError`."""
        if name not in self._known:
            shipped = shipped_schema().get(Side.OUTREACH, name)
            if shipped is None or (name in _NOT_PUBLISHED and not self._offers(name)):
                self._known[name] = None
            else:
                self._known[name] = self._labelled(shipped)
        return self._known[name]

    def plain(self, name: str) -> ObjectType | None:
        """The type without the org's labels, which costs no request where it is published."""
        if name in _NOT_PUBLISHED:
            return self.of(name)
        return shipped_schema().get(Side.OUTREACH, name)

    def labels(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of custom fields by type and name, as far as the server tells them."""
        if self._labels is None:
            self._labels = self._asked()
        return self._labels

    def _offers(self, name: str) -> bool:
        parameters = [(f"fields[{name}]", "createdAt")]
        request = Request("GET", self.lists.url(name, parameters, 1))
        (answer,) = self.lists.transport.all([request], plural(name))
        if isinstance(answer, StoreError):
            raise answer
        if answer.status in _NOT_OFFERED:
            return False
        if answer.status >= 300:
            raise refused(answer.status, answer.body, plural(name))
        return True

    def _labelled(self, shipped: ObjectType) -> ObjectType:
        customs = [f for f in shipped.fields.values() if is_custom(Side.OUTREACH, f.name)]
        labels = self.labels().get(shipped.name, {}) if customs else {}
        if not labels:
            return shipped
        own: dict[str, Field] = {
            f.name: replace(f, label=labels[f.name]) for f in customs if f.name in labels
        }
        return replace(shipped, fields={**shipped.fields, **own})

    def _asked(self) -> dict[str, dict[str, str]]:
        """None of them where the connection may not ask: rules name such fields by `custom1`."""
        request = Request("GET", f"{self.lists.transport.settings.base}/types")
        (answer,) = self.lists.transport.all([request], "types")
        if isinstance(answer, StoreError):
            raise answer
        if answer.status in _NOT_OFFERED:
            return {}
        if answer.status >= 300:
            raise refused(answer.status, answer.body, "types")
        found: dict[str, dict[str, str]] = {}
        for each in body_of(answer.body).get("data") or ():
            attributes = each.get("attributes") or {}
            own = each.get("type")
            name = str(own if own not in (None, "type") else attributes.get("name") or each["id"])
            for custom, label in _customs(each):
                found.setdefault(name, {})[custom] = label
        return found


def _customs(told: Any) -> Iterator[tuple[str, str]]:
    """Names and labels of custom fields, wherever in a type they stand.

    What `GET /types` answers is not published in full: seen was, in each type's `meta`,
    `{"validations": {"custom1": {"type", "required", "label", "definition"}}}`.
    """
    if isinstance(told, list):
        for each in told:
            yield from _customs(each)
    elif isinstance(told, dict):
        name, label = told.get("name"), _label(told)
        if isinstance(name, str) and is_custom(Side.OUTREACH, name) and label:
            yield name, label
        for key, value in told.items():
            if is_custom(Side.OUTREACH, key):
                label = value if isinstance(value, str) else _label(value)
                if label:
                    yield key, label
            elif isinstance(value, list | dict):
                yield from _customs(value)


def _label(told: Any) -> str:
    for word in ("label", "displayName", "title"):
        found = told.get(word) if isinstance(told, dict) else None
        if isinstance(found, str) and found:
            return found
    return ""
