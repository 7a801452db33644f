"""The SOAP calls about records and types; they do what the REST resources do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request

from dsl.schema import ObjectType
from engine.sandbox.salesforce.box import Box, version_of
from engine.sandbox.salesforce.changes import deleted_in, span_of, updated_in
from engine.sandbox.salesforce.describes import describe, summary
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.keys import key_field
from engine.sandbox.salesforce.queries import first_page, next_page
from engine.sandbox.salesforce.records import fields_asked
from engine.sandbox.salesforce.rows import rows_of
from engine.sandbox.salesforce.search import found_by_sosl
from engine.sandbox.salesforce.soap_xml import Call, Raw, Record, parts_of, record_in, xml
from engine.sandbox.salesforce.upserting import upserted
from engine.sandbox.salesforce.values import checked_record_id, values_of
from engine.sandbox.salesforce.writes import Verdict, Wanted, carry_out
from engine.sandbox.soql.locators import batch_size
from engine.stores.local.conversion import convert
from engine.stores.local.ids import checked_id, type_of
from engine.stores.local.lives import merge, undelete
from engine.stores.local.refusals import Refused

__all__ = ["WORK"]

_MOST = 200


# -- writing ------------------------------------------------------------------------------------


def _results(box: Box, call: Call, wanted: list[Wanted | Verdict], upserted: bool = False) -> str:
    """Write, and say what came of each record."""
    if len(wanted) > _MOST:
        message = f"record limit reached. cannot submit more than {_MOST} records into this call"
        raise ApiError(400, "EXCEEDED_ID_LIMIT", message)
    together = _flag(call, "AllOrNoneHeader", "allOrNone")
    saving = _flag(call, "DuplicateRuleHeader", "allowSave")
    verdicts = carry_out(box, wanted, together, saving)
    return "".join(xml("result", _result(verdict, upserted)) for verdict in verdicts)


def _flag(call: Call, header: str, name: str) -> bool:
    given = call.header.get(header)
    return isinstance(given, dict) and given.get(name) == "true"


def _result(verdict: Verdict, upserted: bool) -> dict[str, Any]:
    created = {"created": verdict.created} if upserted else {}
    if verdict.done:
        return {**created, "id": verdict.id, "success": True}
    return {**created, "errors": _error(verdict), "id": None, "success": False}


def _error(verdict: Verdict) -> dict[str, Any]:
    fields = {"fields": list(verdict.fields)} if verdict.fields else {}
    return {**fields, "message": verdict.message, "statusCode": verdict.code}


def _records(call: Call) -> list[Record]:
    return [record_in(each) for each in call.elements("sObjects")]


def _checked(records: list[Any], wanted: Callable[[Any], Wanted]) -> list[Wanted | Verdict]:
    found: list[Wanted | Verdict] = []
    for each in records:
        try:
            found.append(wanted(each))
        except ApiError as error:
            found.append(Verdict.of(error))
    return found


def _create(_request: Request, box: Box, call: Call) -> str:
    def wanted(record: Record) -> Wanted:
        type_ = _type(box, record.type)
        return Wanted(type_.name, None, values_of(box, type_, record.fields, creating=True))

    return _results(box, call, _checked(_records(call), wanted))


def _type(box: Box, name: Any) -> ObjectType:
    found = box.visible.find(str(name))
    if found is None:
        raise ApiError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return found


def _update(_request: Request, box: Box, call: Call) -> str:
    def wanted(record: Record) -> Wanted:
        type_ = _type(box, record.type)
        full = checked_record_id(type_.name, record.id)
        return Wanted(type_.name, full, values_of(box, type_, record.fields, creating=False))

    return _results(box, call, _checked(_records(call), wanted))


def _upsert(_request: Request, box: Box, call: Call) -> str:
    name = str(call.arguments().get("externalIDFieldName", "Id"))

    def wanted(record: Record) -> Wanted:
        type_ = _type(box, record.type)
        key = key_field(box, type_, name)
        value = record.id if key.name == "Id" else record.fields.get(key.name)
        if not value and key.name != "Id":
            raise ApiError(400, "MISSING_ARGUMENT", f"{key.name} not specified")
        return upserted(box, type_, key, value, record.fields)

    return _results(box, call, _checked(_records(call), wanted), upserted=True)


def _delete(_request: Request, box: Box, call: Call) -> str:
    def wanted(record: str) -> Wanted:
        return Wanted(*_typed(record), {}, delete=True)

    return _results(box, call, _checked(call.all("ids"), wanted))


def _typed(record: str) -> tuple[str, str]:
    """The type and the whole id of what an id names. Raises `ApiError`."""
    full = checked_id(record)
    name = None if full is None else type_of(full)
    if full is None or name is None:
        raise ApiError(400, "MALFORMED_ID", f"malformed id {record}")
    return name, full


def _undelete(_request: Request, box: Box, call: Call) -> str:
    def back(record: str) -> dict[str, Any]:
        type_name, full = _typed(record)
        undelete(box.file, box.file.table(type_name), full)
        return {"id": full, "success": True}

    return "".join(_each(call.all("ids"), back))


def _empty_bin(_request: Request, box: Box, call: Call) -> str:
    """Take deleted records out of the recycle bin, from which nobody can bring them back then."""

    def emptied(record: str) -> dict[str, Any]:
        type_name, full = _typed(record)
        sql = "SELECT 1 FROM deleted WHERE type = ? AND id = ? AND record IS NOT NULL"
        if not box.file.rows(sql, (type_name, full)):
            raise ApiError(400, "INVALID_ID_FIELD", f"the record is not in the recycle bin: {full}")
        with box.file.transaction():
            sql = "UPDATE deleted SET record = NULL WHERE type = ? AND id = ?"
            box.file.db.execute(sql, (type_name, full))
        return {"id": full, "success": True}

    return "".join(_each(call.all("ids"), emptied))


def _each(given: list[Any], work: Callable[[Any], dict[str, Any]]) -> list[str]:
    """The result of each, or what is said of one that is refused."""
    found = []
    for each in given:
        try:
            found.append(xml("result", work(each)))
        except (ApiError, Refused) as error:
            fields = tuple(error.fields or ())
            said = Verdict(None, False, error.code, error.message, fields)
            found.append(xml("result", {"errors": _error(said), "success": False}))
    return found


# -- converting and merging ---------------------------------------------------------------------


def _convert(_request: Request, box: Box, call: Call) -> str:
    def converted(given: Any) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise ApiError(400, "MISSING_ARGUMENT", "leadConverts needs a leadId")
        lead = checked_record_id("Lead", given.get("leadId"))
        name = given.get("opportunityName") or None
        if given.get("doNotCreateOpportunity") == "true":
            name = None
        elif name is None:
            name = str((box.org.get("Lead", lead) or {}).get("Company") or "") + "-"
        account, contact = given.get("accountId") or None, given.get("contactId") or None
        status = given.get("convertedStatus") or None
        made = convert(box.file, lead, account, contact, name, status)
        return {
            "accountId": made["Account"],
            "contactId": made["Contact"],
            "leadId": made["Lead"],
            "opportunityId": made["Opportunity"],
            "success": True,
        }

    return "".join(_each(call.all("leadConverts"), converted))


def _merge(_request: Request, box: Box, call: Call) -> str:
    def merged(element: Any) -> dict[str, Any]:
        parts = parts_of(element)
        masters = [record_in(each) for name, each in parts if name == "masterRecord"]
        losers = [each.text for name, each in parts if name == "recordToMergeIds"]
        if len(masters) != 1 or not losers:
            message = "a merge needs one masterRecord and recordToMergeIds"
            raise ApiError(400, "MISSING_ARGUMENT", message)
        [master] = masters
        type_ = _type(box, master.type)
        kept = checked_record_id(type_.name, master.id)
        with box.file.transaction():
            if master.fields:
                values = values_of(box, type_, master.fields, creating=False)
                [verdict] = carry_out(box, [Wanted(type_.name, kept, values)])
                if not verdict.done:
                    raise verdict.error()
            for loser in losers:
                gone = checked_record_id(type_.name, loser)
                merge(box.file, box.file.table(type_.name), kept, gone)
        return {"id": kept, "mergedRecordIds": losers, "success": True}

    requests = call.elements("request") + call.elements("mergeRequests")
    return "".join(_each(requests, merged))


# -- reading ------------------------------------------------------------------------------------


def _query(request: Request, box: Box, call: Call) -> str:
    return _page(request, call, deleted=False)


def _query_all(request: Request, box: Box, call: Call) -> str:
    return _page(request, call, deleted=True)


def _page(request: Request, call: Call, deleted: bool) -> str:
    text = str(call.arguments().get("queryString", ""))
    return _found(first_page(request, text, deleted=deleted, size=_size(call)))


def _size(call: Call) -> int:
    given = call.header.get("QueryOptions")
    wanted = given.get("batchSize") if isinstance(given, dict) else None
    return batch_size(f"batchSize={wanted}" if wanted else None)


def _query_more(request: Request, box: Box, call: Call) -> str:
    locator = str(call.arguments().get("queryLocator", ""))
    return _found(next_page(request, locator, _size(call)))


def _found(page: dict[str, Any]) -> str:
    return xml("result", Raw(_page_in_xml(page)), "QueryResult")


def _page_in_xml(page: dict[str, Any]) -> str:
    records = "".join(_record("records", each) for each in page["records"])
    locator = page.get("nextRecordsUrl")
    rest = None if locator is None else locator.rpartition("/")[2]
    size = xml("size", page["totalSize"])
    return f"{xml('done', page['done'])}{xml('queryLocator', rest)}{records}{size}"


def _record(name: str, row: dict[str, Any]) -> str:
    """A REST record as SOAP has it: the type and the id first."""
    type_name = (row.get("attributes") or {}).get("type", "AggregateResult")
    inner = xml("sf:type", type_name) + xml("sf:Id", row.get("Id"))
    for key, value in row.items():
        if key in ("attributes", "Id"):
            continue
        if isinstance(value, dict) and "records" in value:
            inner += xml(f"sf:{key}", Raw(_page_in_xml(value)), "QueryResult")
        elif isinstance(value, dict) and "attributes" in value:
            inner += _record(f"sf:{key}", value)
        else:
            inner += xml(f"sf:{key}", _plain(value))
    return xml(name, Raw(inner), "sf:sObject")


def _plain(value: Any) -> Any:
    text = isinstance(value, str) and len(value) == 28 and value.endswith(".000+0000")
    return value[:23] + "Z" if text else value


def _retrieve(request: Request, box: Box, call: Call) -> str:
    given = call.arguments()
    type_ = _type(box, str(given.get("sObjectType")))
    fields = fields_asked(box, type_, str(given.get("fieldList", "")))
    ids = [checked_record_id(type_.name, each) for each in call.all("ids")]
    rows = rows_of(box, type_, ids, fields, version_of(request))
    return "".join(
        _record("result", rows[each]) if each in rows else xml("result", None) for each in ids
    )


def _search(request: Request, box: Box, call: Call) -> str:
    text = str(call.arguments().get("searchString", ""))
    found = found_by_sosl(request, text, version_of(request))
    inner = "".join(f"<searchRecords>{_record('record', each)}</searchRecords>" for each in found)
    return xml("result", Raw(inner))


def _updated(_request: Request, box: Box, call: Call) -> str:
    given = call.arguments()
    type_ = _type(box, str(given.get("sObjectType")))
    span = span_of(box, given.get("startDate"), given.get("endDate"))
    return xml("result", updated_in(box, type_.name, *span))


def _deleted(_request: Request, box: Box, call: Call) -> str:
    given = call.arguments()
    type_ = _type(box, str(given.get("sObjectType")))
    span = span_of(box, given.get("startDate"), given.get("endDate"))
    return xml("result", deleted_in(box, type_.name, *span))


# -- types --------------------------------------------------------------------------------------


def _describe(request: Request, box: Box, call: Call) -> str:
    names = call.all("sObjectType")
    found = [describe(box, _type(box, name), version_of(request)) for name in names]
    return xml("result", [_without_null(each) for each in found])


def _describe_global(request: Request, box: Box, call: Call) -> str:
    types = [_type(box, name) for name in box.visible.names()]
    found = [_without_null(summary(box, type_, version_of(request))) for type_ in types]
    return xml("result", {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": found})


def _without_null(given: Any) -> Any:
    """SOAP leaves out what is null, and what only REST has."""
    if isinstance(given, list):
        return [_without_null(each) for each in given]
    if not isinstance(given, dict):
        return given
    return {k: _without_null(v) for k, v in given.items() if v is not None and k != "urls"}


WORK: Mapping[str, Callable[[Request, Box, Call], str]] = {
    "convertLead": _convert,
    "create": _create,
    "delete": _delete,
    "describeGlobal": _describe_global,
    "describeSObject": _describe,
    "describeSObjects": _describe,
    "emptyRecycleBin": _empty_bin,
    "getDeleted": _deleted,
    "getUpdated": _updated,
    "merge": _merge,
    "query": _query,
    "queryAll": _query_all,
    "queryMore": _query_more,
    "retrieve": _retrieve,
    "search": _search,
    "undelete": _undelete,
    "update": _update,
    "upsert": _upsert,
}
