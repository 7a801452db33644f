"""Reports and list views as lists of records. REST API and Reports API Developer Guides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from dsl.ids import ID, full_id
from engine.model import Listing, RecordId
from engine.ports import StoreError
from engine.stores.salesforce.connection import ROOT, Connection
from engine.stores.salesforce.problems import VendorProblem
from engine.stores.salesforce.reading import Reading
from engine.stores.salesforce.soql import checked_name

__all__ = ["LIST_VIEW", "REPORT", "list_views", "listed", "reports"]

REPORT, LIST_VIEW = "report", "list-view"

#: The types that have lists worth bringing in, by what the ids of their records start with.
_TYPES = {"00Q": "Lead", "003": "Contact", "001": "Account", "006": "Opportunity"}
#: The standard report types whose rows are records of one type.
_REPORT_TYPES = {
    "LeadList": "Lead",
    "ContactList": "Contact",
    "AccountList": "Account",
    "Opportunity": "Opportunity",
    "OpportunityList": "Opportunity",
}
_SELECTED = re.compile(r"^\s*SELECT\s.*?\sFROM\s", re.IGNORECASE | re.DOTALL)


class _Report(msgspec.Struct):
    id: str
    name: str


class _View(msgspec.Struct):
    id: str
    label: str


class _Views(msgspec.Struct, rename="camel"):
    listviews: list[_View]
    next_records_url: str | None = None


_reports = msgspec.json.Decoder(list[_Report]).decode
_views = msgspec.json.Decoder(_Views).decode
_object = msgspec.json.Decoder(dict[str, Any]).decode


def reports(connection: Connection) -> list[Listing]:
    """The reports that the user has seen lately, of one standard type each; a call for each.

    What a report is of, only its own describe tells.
    """
    found = []
    for report in connection.read("analytics/reports", _reports):
        described = connection.read(f"analytics/reports/{quote(report.id)}/describe", _object)
        metadata = described.get("reportMetadata") or {}
        kind = _REPORT_TYPES.get((metadata.get("reportType") or {}).get("type", ""))
        if kind is not None:
            found.append(Listing(REPORT, full_id(report.id), report.name, kind))
    return found


def list_views(connection: Connection) -> list[Listing]:
    """The list views of people, accounts and opportunities; a call for each type."""
    found = []
    for name in _TYPES.values():
        path: str | None = f"sobjects/{name}/listviews"
        while path is not None:
            try:
                page = connection.read(path, _views)
            except VendorProblem as problem:
                if problem.status == 404:  # the user sees no such type
                    break
                raise
            found += [
                Listing(LIST_VIEW, full_id(view.id), view.label, name) for view in page.listviews
            ]
            following = page.next_records_url
            path = following.rpartition(ROOT)[2] if following else None
    return found


def listed(connection: Connection, reading: Reading, listing: Listing) -> Iterator[list[RecordId]]:
    """The records in a list as it is now, page by page. Raises `StoreError`."""
    try:
        if listing.kind == REPORT:
            yield _in_report(connection, listing)
            return
        path = f"sobjects/{checked_name(listing.type)}/listviews/{quote(listing.id)}/describe"
        query = str(connection.read(path, _object).get("query", ""))
        if not _SELECTED.match(query):
            raise StoreError(f"Salesforce does not tell what is in the list view {listing.name}")
        yield from reading.pages(_SELECTED.sub("SELECT Id FROM ", query, count=1))
    except VendorProblem as problem:
        if problem.status == 404:
            raise StoreError(f"there is no {listing.kind} {listing.id} any more") from None
        raise


def _in_report(connection: Connection, listing: Listing) -> list[RecordId]:
    """The ids in a report's rows, each once; wherever they stand, by what they start with."""
    path = f"analytics/reports/{quote(listing.id)}?includeDetails=true"
    answer = connection.read(path, _object)
    if answer.get("allData") is False:
        raise StoreError(
            f"the report {listing.name} has more than 2,000 rows, and Salesforce gives no more:"
            " filter it, or make a list view of it"
        )
    prefix = next((start for start, name in _TYPES.items() if name == listing.type), "")
    ids: dict[RecordId, None] = {}
    for fact in (answer.get("factMap") or {}).values():
        for row in fact.get("rows") or ():
            cells = (str(cell.get("value") or "") for cell in row.get("dataCells") or ())
            found = [text for text in cells if text.startswith(prefix) and ID.fullmatch(text)]
            if not found:
                raise StoreError(
                    f"the report {listing.name} does not tell which records it shows: add the"
                    f" column `{listing.type} ID` to it"
                )
            ids[full_id(found[0])] = None
    return list(ids)
