"""`GET /types`: what administrators call the custom fields of each type, and what these take."""

from __future__ import annotations

from typing import Any

from dsl.schema import Side, is_custom
from engine.stores.local.org import OrgFile

__all__ = ["types"]

#: The types of this org that the vendor lists; it has no labels for the custom fields of users.
_TYPES = ("account", "opportunity", "prospect")


def types(org: OrgFile) -> dict[str, Any]:
    """The document: for each type with custom fields, their labels and the form of their values."""
    org.refresh()
    data = []
    for name in _TYPES:
        found = org.describe(name)
        fields = found.fields.values() if found is not None else ()
        validations = {
            field.name: {
                "type": "string",
                "required": False,
                "label": field.label,
                "definition": None,
            }
            for field in fields
            if is_custom(Side.OUTREACH, field.name)
        }
        if validations:
            data.append({"type": name, "meta": {"validations": validations}})
    return {"data": data}
