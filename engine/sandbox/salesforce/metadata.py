"""The Metadata API as far as a client reads by it what types and fields there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from starlette.requests import Request

from dsl.schema import Field, ObjectType, is_custom
from engine.sandbox.salesforce.box import Box, version_of
from engine.sandbox.salesforce.describes import summary
from engine.sandbox.salesforce.soap_xml import Call, Fault, Raw, xml
from engine.stores.local.ids import INSTANCE, PREFIXES, full_id

__all__ = ["WORK"]

#: From here on, a standard field's values are in a set of their own, and not with the field.
_VALUES_APART = 38.0
_ALL = "*"
_TYPES = {
    "boolean": "Checkbox",
    "currency": "Currency",
    "date": "Date",
    "datetime": "DateTime",
    "double": "Number",
    "email": "Email",
    "int": "Number",
    "multipicklist": "MultiselectPicklist",
    "percent": "Percent",
    "phone": "Phone",
    "picklist": "Picklist",
    "reference": "Lookup",
    "url": "Url",
}
_LONG = 255  # characters; a longer text is a long text area


def _describe(_request: Request, _box: Box, _call: Call) -> str:
    kind = {
        "directoryName": "objects",
        "inFolder": False,
        "metaFile": False,
        "suffix": "object",
        "xmlName": "CustomObject",
        "childXmlNames": "CustomField",
    }
    result = {
        "metadataObjects": [kind],
        "organizationNamespace": "",
        "partialSaveAllowed": True,
        "testRequired": False,
    }
    return xml("result", result)


def _list(_request: Request, box: Box, call: Call) -> str:
    wanted = [q.get("type") for q in call.all("queries") if isinstance(q, dict)]
    names: list[tuple[str, str]] = []
    if "CustomObject" in wanted:
        names += [("CustomObject", type_.name) for type_ in _types(box)]
    if "CustomField" in wanted:
        names += [("CustomField", name) for name, _, _ in _custom(box)]
    return "".join(xml("result", _properties(box, kind, name)) for kind, name in names)


def _properties(box: Box, kind: str, name: str) -> dict[str, Any]:
    at, user = box.file.now(), box.user_id()
    who = "Sandbox Administrator"
    type_name = name.partition(".")[0]
    number = sorted(PREFIXES).index(type_name)
    return {
        "createdById": user,
        "createdByName": who,
        "createdDate": at,
        "fileName": f"objects/{type_name}.object",
        "fullName": name,
        "id": full_id(f"01I{INSTANCE}{number:09}"),
        "lastModifiedById": user,
        "lastModifiedByName": who,
        "lastModifiedDate": at,
        "type": kind,
    }


def _read(request: Request, box: Box, call: Call) -> str:
    kind = str(call.arguments().get("type"))
    if kind not in ("CustomObject", "CustomField"):
        return xml("result", Raw(""))
    found = ""
    for name in call.all("fullNames"):
        made = _field_named if kind == "CustomField" else _object_named
        found += xml("records", made(request, box, str(name)), kind)
    return xml("result", Raw(found))


def _types(box: Box) -> list[ObjectType]:
    return [t for t in map(box.visible.find, box.visible.names()) if t is not None]


def _custom(box: Box) -> Iterator[tuple[str, ObjectType, Field]]:
    for type_ in _types(box):
        for field in type_.fields.values():
            if is_custom(type_.side, field.name):
                yield f"{type_.name}.{field.name}", type_, field


def _object_named(request: Request, box: Box, name: str) -> Any:
    type_ = box.visible.find(name)
    if type_ is None:
        return Raw("")  # as the vendor answers for what is not there: a record without anything
    fields = [_field(request, box, type_, field) for _, t, field in _custom(box) if t is type_]
    plural = summary(box, type_, version_of(request))["labelPlural"]
    found = {"fullName": type_.name, "fields": fields, "label": type_.label}
    named = {"label": f"{type_.label} Name", "type": "Text"}
    return {**found, "nameField": named, "pluralLabel": plural, "sharingModel": "ReadWrite"}


def _field_named(request: Request, box: Box, name: str) -> Any:
    type_name, _, field_name = name.partition(".")
    type_ = box.visible.find(type_name)
    field = None if type_ is None else box.visible.field(type_.name, field_name)
    if type_ is None or field is None:
        return Raw("")
    return {**_field(request, box, type_, field), "fullName": f"{type_.name}.{field.name}"}


def _field(request: Request, box: Box, type_: ObjectType, field: Field) -> dict[str, Any]:
    kind, custom = field.vendor_type, is_custom(type_.side, field.name)
    found: dict[str, Any] = {"fullName": field.name, "externalId": field.external_id}
    if custom:
        found |= {"label": field.label, "required": field.required, "unique": field.unique}
    if kind in ("string", "textarea"):
        word = "Text" if kind == "string" else "TextArea"
        found["type"] = "LongTextArea" if field.length > _LONG else word
        found["length"] = field.length
    else:
        found["type"] = _TYPES.get(kind, "Text")
    if kind == "reference":
        found["referenceTo"] = field.references[0]
    if field.picklist and float(version_of(request)) < _VALUES_APART:
        found["picklist"] = {"picklistValues": [_value(box, field, v) for v in field.picklist]}
    elif field.picklist and custom:
        values = [_value(box, field, v) | {"label": v} for v in field.picklist]
        of_set = {"sorted": False, "value": values}
        found["valueSet"] = {"restricted": field.restricted, "valueSetDefinition": of_set}
    return found


def _value(box: Box, field: Field, value: str) -> dict[str, Any]:
    found: dict[str, Any] = {"fullName": value, "default": False}
    if field.name != "Status" or not box.file.made("LeadStatus"):
        return found
    sql = 'SELECT 1 FROM "LeadStatus" WHERE "ApiName" = ? AND "IsConverted"'
    return {**found, "converted": bool(box.file.rows(sql, (value,)))}


def _refused(_request: Request, _box: Box, _call: Call) -> str:
    message = (
        "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata"
        " permissions"
    )
    raise Fault("INSUFFICIENT_ACCESS", message)


#: What changes an org's types is for an administrator, whom the sandbox's user is not.
_CHANGING = (
    "createMetadata",
    "updateMetadata",
    "upsertMetadata",
    "deleteMetadata",
    "renameMetadata",
    "deploy",
    "deployRecentValidation",
    "checkDeployStatus",
    "cancelDeploy",
    "retrieve",
    "checkRetrieveStatus",
)

WORK: Mapping[str, Callable[[Request, Box, Call], str]] = {
    "describeMetadata": _describe,
    "listMetadata": _list,
    "readMetadata": _read,
    **dict.fromkeys(_CHANGING, _refused),
}
