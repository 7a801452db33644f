"""Types that an org has without a table of their own: the organization itself, and its lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from dsl.schema import ObjectType, salesforce_type
from engine.model import Listing
from engine.stores.local.ids import INSTANCE, full_id
from engine.stores.local.lists import LIST_VIEW, REPORT, lists_of
from engine.stores.local.org import OrgFile

__all__ = [
    "ORG_ID",
    "VIRTUAL_PREFIXES",
    "developer_name",
    "is_virtual",
    "list_views",
    "rows_of",
    "standard_views",
    "virtual_type",
]

ORG_ID = full_id(f"00D{INSTANCE}000000001")
_Row = dict[str, Any]
#: Types that have a list view of all their records, and what these are called.
_WITH_VIEWS = MappingProxyType(
    {
        "Account": "Accounts",
        "Contact": "Contacts",
        "Lead": "Leads",
        "Opportunity": "Opportunities",
    }
)
#: What the ids of these types' records begin with.
VIRTUAL_PREFIXES = MappingProxyType(
    {
        "ListView": "00B",
        "Organization": "00D",
        "Profile": "00e",
        "RecordType": "012",
        "Report": "00O",
    }
)
_FIRST_STANDARD = 900_000_000  # numbers of ids; an org's own count from 1

#: Their fields, each with its type in a describe.
_FIELDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "ListView": {
            "Id": "id",
            "Name": "string",
            "DeveloperName": "string",
            "IsSoqlCompatible": "boolean",
            "SobjectType": "picklist",
        },
        "Organization": {
            "Id": "id",
            "Name": "string",
            "InstanceName": "string",
            "IsSandbox": "boolean",
            "LanguageLocaleKey": "picklist",
            "NamespacePrefix": "string",
            "OrganizationType": "picklist",
            "TimeZoneSidKey": "picklist",
            "TrialExpirationDate": "datetime",
        },
        "Profile": {"Id": "id", "Name": "string"},
        "RecordType": {
            "Id": "id",
            "Name": "string",
            "DeveloperName": "string",
            "IsActive": "boolean",
            "SobjectType": "picklist",
        },
        "Report": {"Id": "id", "Name": "string", "DeveloperName": "string", "Format": "picklist"},
    }
)


@cache
def _types() -> dict[str, ObjectType]:
    return {name.lower(): _described(name, fields) for name, fields in _FIELDS.items()}


def _described(name: str, fields: Mapping[str, str]) -> ObjectType:
    usual = {"createable": False, "updateable": False, "nillable": True}
    listed = [{"name": n, "label": n, "type": kind, **usual} for n, kind in fields.items()]
    return salesforce_type({"name": name, "fields": listed})


def virtual_type(name: str) -> ObjectType | None:
    """The type of a name in any case, if it is one of these."""
    return _types().get(name.lower())


def is_virtual(type_name: str) -> bool:
    """Whether a type is one of these."""
    return type_name in _FIELDS


def rows_of(org: OrgFile, type_name: str) -> list[dict[str, Any]]:
    """The records of such a type, as they are now."""
    return _ROWS[type_name](org)


def _organization(_org: OrgFile) -> list[_Row]:
    return [
        {
            "Id": ORG_ID,
            "Name": "Crosswalk Sandbox",
            "InstanceName": "LOCAL",
            "IsSandbox": True,
            "LanguageLocaleKey": "en_US",
            "OrganizationType": "Developer Edition",
            "TimeZoneSidKey": "GMT",
        }
    ]


def _reports(org: OrgFile) -> list[_Row]:
    return [
        {"Id": r.id, "Name": r.name, "DeveloperName": developer_name(r.name), "Format": "Tabular"}
        for r in lists_of(org, REPORT)
    ]


def standard_views() -> list[Listing]:
    """The list views that every org has from the start: all records of a type, by type."""
    return [
        Listing(LIST_VIEW, full_id(f"00B{INSTANCE}{_FIRST_STANDARD + at:09}"), f"All {many}", name)
        for at, (name, many) in enumerate(_WITH_VIEWS.items())
    ]


def list_views(org: OrgFile) -> list[Listing]:
    """All list views of an org, its own first."""
    return [*lists_of(org, LIST_VIEW), *standard_views()]


def _list_views(org: OrgFile) -> list[_Row]:
    return [
        {
            "Id": view.id,
            "Name": view.name,
            "DeveloperName": developer_name(view.name),
            "IsSoqlCompatible": True,
            "SobjectType": view.type,
        }
        for view in list_views(org)
    ]


def developer_name(label: str) -> str:
    """A label as a name for programs, as Salesforce proposes it."""
    return re.sub(r"\W+", "_", label).strip("_") or "X"


def _profiles(org: OrgFile) -> list[_Row]:
    if not org.made("User"):
        return []
    sql = 'SELECT DISTINCT "ProfileId" FROM "User" WHERE "ProfileId" IS NOT NULL'
    return [{"Id": row[0], "Name": "System Administrator"} for row in org.rows(sql)]


_ROWS: Mapping[str, Callable[[OrgFile], list[_Row]]] = MappingProxyType(
    {
        "ListView": _list_views,
        "Organization": _organization,
        "Profile": _profiles,
        "RecordType": lambda _org: [],
        "Report": _reports,
    }
)
