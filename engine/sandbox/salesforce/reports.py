"""Reports: which there are, what each shows, and its rows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.model import Listing
from engine.sandbox.salesforce.box import box_of, version_of
from engine.sandbox.salesforce.lists import developer_name, found_list, records_in
from engine.sandbox.salesforce.wire import answer
from engine.sandbox.soql import query
from engine.stores.local.lists import REPORT, lists_of

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


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    one = "/analytics/reports/{report}"
    return [
        Route("/analytics/reports", _reports),
        Route(one, _run, methods=["GET", "POST"]),
        Route(f"{one}/describe", _describe),
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
    box = box_of(request)
    report = found_list(box, REPORT, request.path_params["report"])
    ids = records_in(box, report)
    total: dict[str, Any] = {"aggregates": [{"label": str(len(ids)), "value": len(ids)}]}
    details = request.query_params.get("includeDetails", "").lower() == "true"
    if details:
        total["rows"] = _rows(request, report, ids[:_MOST])
    base = _base(request, report)
    return answer(
        {
            "attributes": {
                "describeUrl": f"{base}/describe",
                "instancesUrl": f"{base}/instances",
                "reportId": report.id,
                "reportName": report.name,
                "type": "Report",
            },
            "allData": not details or len(ids) <= _MOST,
            "factMap": {"T!T": total},
            "groupingsAcross": {"groupings": []},
            "groupingsDown": {"groupings": []},
            "hasDetailRows": details,
            **_metadata(request, report),
        }
    )


def _rows(request: Request, report: Listing, ids: list[str]) -> list[dict[str, Any]]:
    if not ids:
        return []
    names = list(_kind(report.type)[1].values())
    listed = ", ".join(f"'{record}'" for record in ids)
    text = f"SELECT {', '.join(names)} FROM {report.type} WHERE Id IN ({listed})"
    found = {row["Id"]: row for row in query(request.app.state.org, text).records()}
    return [
        {"dataCells": [_cell(found[record][name], name) for name in names]}
        for record in ids
        if record in found
    ]


def _cell(value: Any, name: str) -> dict[str, Any]:
    if name == "Amount" and value is not None:
        money = {"amount": value, "currency": None}
        return {"label": f"${value:,.2f}", "value": money}
    return {"label": "-" if value is None else str(value), "value": value}
