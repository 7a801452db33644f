"""Reports: which there are, what each shows, and its rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dsl.schema import Field, Kind
from engine.model import Listing
from engine.ports import StoreError
from engine.sandbox.salesforce.box import box_of, version_of
from engine.sandbox.salesforce.errors import ApiError, not_found
from engine.sandbox.salesforce.lists import found_list, records_in
from engine.sandbox.salesforce.wire import answer, object_of
from engine.sandbox.soql import SoqlError, query
from engine.sandbox.soql.virtual import developer_name
from engine.stores.local.ids import INSTANCE, full_id
from engine.stores.local.lists import REPORT, definition, drop_list, lists_of, make_list

__all__ = ["routes"]

_MOST = 2_000  # rows that the Reports API gives, and no more
#: The standard report types of one type each: their names, and their columns by the field shown.
_KINDS: Mapping[str, tuple[str, dict[str, str]]] = MappingProxyType(
    {
        "Account": (
            "AccountList",
            {"ACCOUNT.NAME": "Name", "TYPE": "Type", "PHONE1": "Phone", "ACCOUNT_ID": "Id"},
        ),
        "Contact": (
            "ContactList",
            {
                "FIRST_NAME": "FirstName",
                "LAST_NAME": "LastName",
                "EMAIL": "Email",
                "CONTACT_ID": "Id",
            },
        ),
        "Lead": (
            "LeadList",
            {
                "FIRST_NAME": "FirstName",
                "LAST_NAME": "LastName",
                "COMPANY": "Company",
                "EMAIL": "Email",
                "LEAD_ID": "Id",
            },
        ),
        "Opportunity": (
            "Opportunity",
            {
                "OPPORTUNITY_NAME": "Name",
                "STAGE_NAME": "StageName",
                "AMOUNT": "Amount",
                "OPPORTUNITY_ID": "Id",
            },
        ),
    }
)


_OPERATORS: Mapping[str, str] = MappingProxyType(
    {
        "equals": "{0} = {1}",
        "notEqual": "{0} = {1}",
        "lessThan": "{0} < {1}",
        "greaterThan": "{0} > {1}",
        "lessOrEqual": "{0} <= {1}",
        "greaterOrEqual": "{0} >= {1}",
        "contains": "{0} LIKE '%{1}%'",
        "notContain": "{0} LIKE '%{1}%'",
        "startsWith": "{0} LIKE '{1}%'",
    }
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    one = "/analytics/reports/{report}"
    return [
        Route("/analytics/reports", _reports, methods=["GET"]),
        Route("/analytics/reports", _clone, methods=["POST"]),
        Route(one, _run, methods=["GET", "POST"]),
        Route(one, _drop, methods=["DELETE"]),
        Route(f"{one}/describe", _describe),
        Route(f"{one}/instances", _begin, methods=["POST"]),
        Route(f"{one}/instances", _listed_instances, methods=["GET"]),
        Route(f"{one}/instances/{{instance}}", _instance),
    ]


def _kind(type_name: str) -> tuple[str, dict[str, str]]:
    other = (f"{type_name}List", {f"{type_name.upper()}_ID": "Id"})
    return _KINDS.get(type_name, other)


def _base(request: Request, report: Listing) -> str:
    return f"/services/data/v{version_of(request)}/analytics/reports/{report.id}"


async def _reports(request: Request) -> Response:
    found = []
    for report in lists_of(box_of(request).file, REPORT):
        base = _base(request, report)
        found.append(
            {
                "describeUrl": f"{base}/describe",
                "id": report.id,
                "instancesUrl": f"{base}/instances",
                "name": report.name,
                "url": base,
            }
        )
    return answer(found)


async def _describe(request: Request) -> Response:
    report = found_list(box_of(request), REPORT, request.path_params["report"])
    return answer({**_metadata(request, report), "reportTypeMetadata": {"categories": []}})


async def _clone(request: Request) -> Response:
    """A new report, which is always made after another one."""
    box, body = box_of(request), await object_of(request)
    report = found_list(box, REPORT, request.query_params.get("cloneId", ""))
    name = (body.get("reportMetadata") or {}).get("name")
    if not isinstance(name, str) or not name.strip():
        raise ApiError(400, "BAD_REQUEST", "The report needs a name")
    condition, ids = definition(box.file, report)
    try:
        made = make_list(box.file, REPORT, name, report.type, condition, ids)
    except StoreError as error:
        raise ApiError(400, "BAD_REQUEST", str(error)) from None
    return answer({**_metadata(request, made), "reportTypeMetadata": {"categories": []}})


async def _drop(request: Request) -> Response:
    box = box_of(request)
    drop_list(box.file, found_list(box, REPORT, request.path_params["report"]))
    return Response(None, 204)


def _metadata(request: Request, report: Listing) -> dict[str, Any]:
    kind, columns = _kind(report.type)
    type_ = box_of(request).visible.type(report.type)
    fields = {column: type_.fields[name] for column, name in columns.items()}
    return {
        "reportExtendedMetadata": {
            "aggregateColumnInfo": {
                "RowCount": {
                    "label": "Record Count",
                    "dataType": "int",
                    "acrossGroupingContext": None,
                }
            },
            "detailColumnInfo": {
                column: {"label": field.label, "dataType": field.vendor_type}
                for column, field in fields.items()
            },
            "groupingColumnInfo": {},
        },
        "reportMetadata": {
            "aggregates": ["RowCount"],
            "detailColumns": list(columns),
            "developerName": developer_name(report.name),
            "groupingsAcross": [],
            "groupingsDown": [],
            "hasDetailRows": True,
            "hasRecordCount": True,
            "id": report.id,
            "name": report.name,
            "reportBooleanFilter": None,
            "reportFilters": [],
            "reportFormat": "TABULAR",
            "reportType": {"label": type_.label, "type": kind},
            "scope": "organization",
            "showGrandTotal": True,
        },
    }


async def _run(request: Request) -> Response:
    report = found_list(box_of(request), REPORT, request.path_params["report"])
    return answer(_result(request, report, await _filters(request), _details(request)))


def _details(request: Request) -> bool:
    return request.query_params.get("includeDetails", "").lower() == "true"


async def _filters(request: Request) -> list[dict[str, Any]]:
    """The filters that a POST asks for instead of the report's own."""
    if request.method != "POST" or not await request.body():
        return []
    metadata = (await object_of(request)).get("reportMetadata") or {}
    found = metadata.get("reportFilters") if isinstance(metadata, dict) else None
    return [each for each in found or [] if isinstance(each, dict)]


def _result(
    request: Request, report: Listing, filters: list[dict[str, Any]], details: bool
) -> dict[str, Any]:
    rows = _rows(request, report, filters)
    total: dict[str, Any] = {"aggregates": [{"label": str(len(rows)), "value": len(rows)}]}
    if details:
        names = _kind(report.type)[1].values()
        total["rows"] = [
            {"dataCells": [_cell(row[name], name) for name in names]} for row in rows[:_MOST]
        ]
    base = _base(request, report)
    told = _metadata(request, report)
    told["reportMetadata"]["reportFilters"] = filters
    return {
        "attributes": {
            "describeUrl": f"{base}/describe",
            "instancesUrl": f"{base}/instances",
            "reportId": report.id,
            "reportName": report.name,
            "type": "Report",
        },
        "allData": not details or len(rows) <= _MOST,
        "factMap": {"T!T": total},
        "groupingsAcross": {"groupings": []},
        "groupingsDown": {"groupings": []},
        "hasDetailRows": details,
        **told,
    }


def _rows(request: Request, report: Listing, filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    columns = _kind(report.type)[1]
    ids = records_in(box_of(request), report)
    where = "".join(f" AND {_condition(request, report, each)}" for each in filters)
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), _MOST):
        listed = ", ".join(f"'{record}'" for record in ids[start : start + _MOST])
        text = f"SELECT {', '.join(columns.values())} FROM {report.type} WHERE Id IN ({listed})"
        try:
            rows = query(request.app.state.org, text + where).records()
        except SoqlError as error:
            raise ApiError(400, "BAD_REQUEST", f"a filter cannot be applied: {error}") from None
        found.update((row["Id"], row) for row in rows)
    return [found[record] for record in ids if record in found]


def _condition(request: Request, report: Listing, given: dict[str, Any]) -> str:
    """One filter as SOQL; the values in its list are alternatives."""
    column, operator = str(given.get("column")), str(given.get("operator"))
    name = _kind(report.type)[1].get(column)
    if name is None or operator not in _OPERATORS:
        message = f"The filter on {column} by {operator} is not supported by this report"
        raise ApiError(400, "BAD_REQUEST", message)
    field = box_of(request).visible.type(report.type).fields[name]
    template = _OPERATORS[operator]
    values = [each.strip() for each in str(given.get("value") or "").split(",") if each.strip()]
    parts = [template.format(name, _literal(each, field, "%" in template)) for each in values]
    held = " OR ".join(f"({part})" for part in parts) or f"{name} = null"
    return f"(NOT ({held}))" if operator.startswith("not") else f"({held})"


def _literal(text: str, field: Field, within: bool) -> str:
    if field.kind is Kind.NUMBER and not within:
        return text if _NUMBER.fullmatch(text) else "null"
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return escaped if within else f"'{escaped}'"


# -- runs in the background ---------------------------------------------------------------------


def _instances(request: Request) -> dict[str, dict[str, Any]]:
    state = request.app.state
    if not hasattr(state, "report_instances"):
        state.report_instances = {}
    found: dict[str, dict[str, Any]] = state.report_instances
    return found


async def _begin(request: Request) -> Response:
    """Run a report in the background; it is done at once, and kept."""
    box = box_of(request)
    report = found_list(box, REPORT, request.path_params["report"])
    result = _result(request, report, await _filters(request), _details(request))
    kept = _instances(request)
    made = full_id(f"0LG{INSTANCE}{len(kept) + 1:09}")
    now = box.file.as_vendor(box.org.now())
    head = {
        "completionDate": now,
        "hasDetailRows": result["hasDetailRows"],
        "id": made,
        "ownerId": box.user_id(),
        "requestDate": now,
        "status": "Success",
        "url": f"{_base(request, report)}/instances/{made}",
    }
    kept[made] = {**result, "attributes": {**result["attributes"], **head}}
    return answer(head | {"completionDate": None, "status": "New"})


async def _listed_instances(request: Request) -> Response:
    report = found_list(box_of(request), REPORT, request.path_params["report"])
    heads = (kept["attributes"] for kept in _instances(request).values())
    return answer([head for head in heads if head["reportId"] == report.id])


async def _instance(request: Request) -> Response:
    report = found_list(box_of(request), REPORT, request.path_params["report"])
    kept = _instances(request).get(request.path_params["instance"])
    if kept is None or kept["attributes"]["reportId"] != report.id:
        raise not_found()
    kept["attributes"]["type"] = "ReportInstance"
    return answer(kept)


def _cell(value: Any, name: str) -> dict[str, Any]:
    if name == "Amount" and value is not None:
        money = {"amount": value, "currency": None}
        return {"label": f"${value:,.2f}", "value": money}
    return {"label": "-" if value is None else str(value), "value": value}
