"""Types as `describe` tells of them, from the org's own, with all keys that clients read."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import dsl.schema
from dsl.schema import Field, Kind, ObjectType, is_custom
from engine.sandbox.salesforce.box import Box
from engine.sandbox.soql.relations import child_name
from engine.sandbox.soql.virtual import VIRTUAL_PREFIXES, is_virtual
from engine.stores.local.ids import PREFIXES

__all__ = ["MASTER_ID", "NAMED_LAYOUTS", "children_by_word", "describe", "is_lookup", "summary"]

#: The record type of records that have none.
MASTER_ID = "012000000000000AAA"
#: Layouts that are asked for by a name, by type.
NAMED_LAYOUTS = {"User": ("UserAlt",)}

_SHIPPED = Path(dsl.schema.__file__).parent / "describes" / "salesforce"
_LONG = 255  # a longer text area cannot be filtered, grouped or sorted
_PLURALS = {"LeadStatus": "Lead Status Values", "OpportunityStage": "Opportunity Stages"}
_ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country")
_ADDRESS_PLACE = ("Latitude", "Longitude", "GeocodeAccuracy")
_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "address": "urn:address",
    "location": "urn:location",
}


@cache
def _raw(type_name: str) -> dict[str, dict[str, Any]]:
    """The fields of a shipped describe, by name."""
    if is_virtual(type_name):
        return {}
    found = json.loads((_SHIPPED / f"{type_name}.json").read_text(encoding="utf-8"))
    return {f["name"]: f for f in found["fields"]}


def is_lookup(type_: ObjectType, field: Field) -> bool:
    """Whether records can be looked up by a field, as upserts do."""
    return field.external_id or bool(_raw(type_.name).get(field.name, {}).get("idLookup"))


# -- a type -------------------------------------------------------------------------------------


def summary(box: Box, type_: ObjectType, version: str) -> dict[str, Any]:
    """What `describe` and the list of all types have in common."""
    name, writable = type_.name, type_.name not in box.setup.read_only
    createable = writable and any(f.createable for f in type_.fields.values())
    updateable = writable and any(f.updateable for f in type_.fields.values())
    url = f"/services/data/v{version}/sobjects/{name}"
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": createable,
        "custom": name.endswith("__c"),
        "customSetting": False,
        "deepCloneable": False,
        "deletable": createable and name != "User",
        "deprecatedAndHidden": False,
        "feedEnabled": createable,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": PREFIXES.get(name) or VIRTUAL_PREFIXES[name],
        "label": type_.label,
        "labelPlural": _plural(type_),
        "layoutable": createable,
        "mergeable": writable and name in ("Account", "Contact", "Lead"),
        "mruEnabled": createable,
        "name": name,
        "queryable": True,
        "replicateable": createable,
        "retrieveable": True,
        "searchable": createable,
        "triggerable": createable,
        "undeletable": createable and name != "User",
        "updateable": updateable,
        "urls": {
            "describe": f"{url}/describe",
            "rowTemplate": f"{url}/{{ID}}",
            "sobject": url,
            **(_links(url) if createable else {}),
        },
    }


def _links(url: str) -> dict[str, str]:
    """What else there is of a type that users make records of."""
    return {
        "approvalLayouts": f"{url}/describe/approvalLayouts",
        "compactLayouts": f"{url}/describe/compactLayouts",
        "layouts": f"{url}/describe/layouts",
        "listviews": f"{url}/listviews",
        "quickActions": f"{url}/quickActions",
    }


def _plural(type_: ObjectType) -> str:
    label = type_.label
    if label.endswith("y"):
        return _PLURALS.get(type_.name, f"{label[:-1]}ies")
    return _PLURALS.get(type_.name, f"{label}s")


def describe(box: Box, type_: ObjectType, version: str) -> dict[str, Any]:
    """The whole describe of a type."""
    found = summary(box, type_, version)
    found |= {
        "actionOverrides": [],
        "childRelationships": _children(box, type_),
        "compactLayoutable": found["layoutable"],
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [_field(box, type_, f) for f in type_.fields.values()],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [{"name": n} for n in NAMED_LAYOUTS.get(type_.name, ())],
        "networkScopeFieldName": None,
        "recordTypeInfos": [{**_MASTER, "urls": _layout_url(found["urls"])}],
        "searchLayoutable": found["searchable"],
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [
            {"label": f"{whose} {found['labelPlural']}", "name": name}
            for name, whose in _SCOPES.items()
            if name == "everything" or "OwnerId" in type_.fields
        ],
    }
    found["urls"]["uiDetailTemplate"] = "/{ID}"
    found["urls"]["uiEditTemplate"] = "/{ID}/e"
    return found


def _layout_url(urls: dict[str, str]) -> dict[str, str]:
    return {"layout": f"{urls['layouts']}/{MASTER_ID}"} if "layouts" in urls else {}


_SCOPES = {"everything": "All", "mine": "My"}
_MASTER = {
    "active": True,
    "available": True,
    "defaultRecordTypeMapping": True,
    "developerName": "Master",
    "master": True,
    "name": "Master",
    "recordTypeId": MASTER_ID,
}


def _children(box: Box, type_: ObjectType) -> list[dict[str, Any]]:
    children = [c for c in map(box.visible.find, box.visible.names()) if c is not None]
    return [
        {
            "cascadeDelete": False,
            "childSObject": child.name,
            "deprecatedAndHidden": False,
            "field": field.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": child_name(child.name, field),
            "restrictedDelete": False,
        }
        for child in children
        for field in child.fields.values()
        if type_.name in field.references
    ]


def children_by_word(box: Box, type_: ObjectType) -> dict[str, tuple[str, str]]:
    """A type's relationships to its children: the children's type, and their field, by the word."""
    return {
        child["relationshipName"]: (child["childSObject"], child["field"])
        for child in _children(box, type_)
        if child["relationshipName"] is not None
    }


# -- a field ------------------------------------------------------------------------------------


def _field(box: Box, type_: ObjectType, field: Field) -> dict[str, Any]:
    raw = _raw(type_.name).get(field.name, {})
    custom = is_custom(type_.side, field.name)
    kind = field.vendor_type
    comparable = kind not in ("address", "location", "base64", "encryptedstring")
    comparable = comparable and not (kind == "textarea" and field.length > _LONG)
    writable = type_.name not in box.setup.read_only
    text = field.kind is Kind.TEXT
    return {
        "aggregatable": comparable and field.kind is not Kind.BOOLEAN,
        "aiPredictionField": False,
        "autoNumber": False,
        "byteLength": field.length * 3 if text else field.length,
        "calculated": bool(raw.get("calculated")),
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": bool(raw.get("caseSensitive")),
        "compoundFieldName": _compound(type_, field),
        "controllerName": None,
        "createable": writable and field.createable,
        "custom": custom,
        "defaultValue": False if field.kind is Kind.BOOLEAN else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": _defaulted(type_, field),
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": 9 if kind == "int" else 0,
        "displayLocationInDecimal": False,
        "encrypted": kind == "encryptedstring",
        "externalId": field.external_id,
        "extraTypeInfo": raw.get("extraTypeInfo"),
        "filterable": comparable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": comparable and kind not in ("textarea", "double", "currency", "datetime"),
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": field.kind is Kind.ID or is_lookup(type_, field),
        "inlineHelpText": None,
        "label": field.label,
        "length": field.length,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "nameField": field.name == "Name",
        "namePointing": len(field.references) > 1,
        "nillable": field.nillable,
        "permissionable": field.nillable and (field.createable or custom),
        "picklistValues": [
            *(_value(v) for v in field.picklist),
            *(_value(v, active=False) for v in field.inactive),
        ],
        "polymorphicForeignKey": len(field.references) > 1,
        "precision": raw.get("precision", 18 if kind == "double" else 0),
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(field.references),
        "relationshipName": field.relationship,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": field.restricted,
        "scale": raw.get("scale", 0),
        "searchPrefilterable": field.kind is Kind.REFERENCE,
        "soapType": _SOAP.get(kind, "xsd:string"),
        "sortable": comparable,
        "type": kind,
        "unique": field.unique,
        "updateable": writable and field.updateable,
        "writeRequiresMasterRead": False,
    }


def _value(value: str, *, active: bool = True) -> dict[str, Any]:
    return {
        "active": active,
        "defaultValue": False,
        "label": value,
        "validFor": None,
        "value": value,
    }


def _defaulted(type_: ObjectType, field: Field) -> bool:
    """Whether a create fills the field in; what it then need not be given."""
    return field.createable and not field.nillable and not field.required


def _compound(type_: ObjectType, field: Field) -> str | None:
    if field.name in ("FirstName", "LastName", "Salutation") and "Name" in type_.fields:
        return "Name"
    for part in (*_ADDRESS_PARTS, *_ADDRESS_PLACE):
        compound = f"{field.name.removesuffix(part)}Address"
        if field.name.endswith(part) and compound in type_.fields:
            return compound
    return None
