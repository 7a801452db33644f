"""Converts a lead as Salesforce does: into an account, a contact and, if asked, an opportunity."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Any

from engine.model import Outcome, RecordId, Write
from engine.stores.local.ids import type_of
from engine.stores.local.lives import reparent, touch
from engine.stores.local.lookups import FIRST_USER
from engine.stores.local.org import OrgFile
from engine.stores.local.records import record_of
from engine.stores.local.refusals import Refused
from engine.stores.local.writing import write_within

__all__ = ["convert"]

_Values = dict[str, Any]

_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
#: Which field of the new record gets which of the lead's.
_ACCOUNT = {
    "Name": "Company",
    "Phone": "Phone",
    "Fax": "Fax",
    "Website": "Website",
    "Industry": "Industry",
    "AnnualRevenue": "AnnualRevenue",
    "NumberOfEmployees": "NumberOfEmployees",
    "Rating": "Rating",
    "AccountSource": "LeadSource",
    **{f"Billing{part}": part for part in _ADDRESS},
}
_CONTACT = {
    **{name: name for name in ("Salutation", "FirstName", "LastName", "Title", "Email", "Phone")},
    **{name: name for name in ("MobilePhone", "Fax", "LeadSource", "Description")},
    **{name: name for name in ("HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall")},
    **{f"Mailing{part}": part for part in _ADDRESS},
}
_DEFAULT_STATUS = "Closed - Converted"
_FIRST_STAGE = "Prospecting"


def convert(
    org: OrgFile,
    lead: RecordId,
    account: str | None = None,
    contact: str | None = None,
    opportunity: str | None = None,
    status: str | None = None,
) -> dict[str, RecordId | None]:
    """Convert a lead; the ids of what it was converted into, by type, its own among them.

    A given account or contact is used, with what it lacks filled in from the lead, and others are
    made; an opportunity is made if a name for it is given. Raises `Refused`.
    """
    with org.transaction() as moment:
        conversion = _Conversion(org, moment, _convertible(org, lead))
        kept = _converted_status(org, status)
        return conversion.carry_out(account, contact, opportunity, kept)


def _convertible(org: OrgFile, lead: RecordId) -> _Values:
    found = record_of(org, org.table("Lead"), lead)
    if found is None:
        raise Refused("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: no Lead {lead}")
    if found["IsConverted"]:
        raise Refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    if found["OwnerId"] is not None and type_of(found["OwnerId"]) != "User":
        message = "converted objects can only be owned by users: change the lead's owner first"
        raise Refused("UNKNOWN_EXCEPTION", message, ("OwnerId",))
    return found


def _converted_status(org: OrgFile, given: str | None) -> str:
    """The status that the lead is given, one of those that the org counts as converted."""
    known = [_DEFAULT_STATUS]
    if org.made("LeadStatus"):
        sql = 'SELECT "ApiName" FROM "LeadStatus" WHERE "IsConverted" ORDER BY "SortOrder", rowid'
        known = [row[0] for row in org.rows(sql)]
    if not known or (given is not None and given not in known):
        words = ", ".join(known) or "none: make one first"
        message = f"{given or 'no status'} is not a converted status; there is {words}"
        raise Refused("INVALID_STATUS", message, ("Status",))
    return given or known[0]


class _Conversion:
    """One conversion, in a transaction that is under way."""

    def __init__(self, org: OrgFile, moment: str, lead: _Values) -> None:
        self._org, self._moment, self._lead = org, moment, lead

    def carry_out(
        self, account: str | None, contact: str | None, opportunity: str | None, status: str
    ) -> dict[str, RecordId | None]:
        person = self._existing("Contact", contact)
        if person is not None and account is None:
            account = person["AccountId"]
        account_id = self._filled("Account", self._existing("Account", account), _ACCOUNT, {})
        own: _Values = {"AccountId": account_id}
        contact_id = self._filled("Contact", person, _CONTACT, own)
        made = None if opportunity is None else self._deal(opportunity, account_id, contact_id)
        lead = str(self._lead["Id"])
        reparent(self._org, "Lead", lead, contact_id, self._moment, ("Task", "Event"))
        converted = {
            "IsConverted": True,
            "ConvertedDate": self._moment[:10],
            "ConvertedAccountId": account_id,
            "ConvertedContactId": contact_id,
            "ConvertedOpportunityId": made,
            "Status": status,
        }
        touch(self._org, self._org.table("Lead"), lead, self._moment, converted)
        return {"Lead": lead, "Account": account_id, "Contact": contact_id, "Opportunity": made}

    def _existing(self, type_name: str, given: str | None) -> _Values | None:
        if given is None:
            return None
        found = record_of(self._org, self._org.table(type_name), given)
        if found is None:
            message = f"invalid cross reference id: no {type_name} {given}"
            raise Refused("INVALID_CROSS_REFERENCE_KEY", message)
        return found

    def _filled(
        self, type_name: str, there: _Values | None, fields: dict[str, str], own: _Values
    ) -> RecordId:
        """A record with the lead's values: a new one, or one that is there where it has none."""
        values: _Values = {k: self._lead[v] for k, v in fields.items()}
        values = {k: v for k, v in values.items() if v not in (None, "")}
        if there is None:
            return self._write(type_name, Write(None, {**values, **self._owner(), **own}))
        wanted = {k: v for k, v in {**values, **own}.items() if there[k] is None}
        return self._write(type_name, Write(there["Id"], wanted))

    def _owner(self) -> _Values:
        """The lead's owner, or whoever is there in an org that was loaded without its users."""
        owner = self._lead["OwnerId"]
        known = owner and record_of(self._org, self._org.table("User"), owner)
        if known:
            return {"OwnerId": owner}
        first = self._org.rows(FIRST_USER) if self._org.made("User") else []
        return {"OwnerId": first[0][0]} if first else {}

    def _deal(self, name: str, account: RecordId, contact: RecordId) -> RecordId:
        values: _Values = {
            "Name": name,
            "StageName": self._first_stage(),
            "CloseDate": self._quarter_end(),
        }
        values |= {"AccountId": account, "LeadSource": self._lead["LeadSource"], **self._owner()}
        made = self._write("Opportunity", Write(None, values))
        role: _Values = {"OpportunityId": made, "ContactId": contact, "IsPrimary": True}
        self._write("OpportunityContactRole", Write(None, role))
        return made

    def _first_stage(self) -> str:
        if not self._org.made("OpportunityStage"):
            return _FIRST_STAGE
        sql = (
            'SELECT "ApiName" FROM "OpportunityStage" WHERE "IsActive" IS NOT 0'
            ' ORDER BY "SortOrder", rowid LIMIT 1'
        )
        found = self._org.rows(sql)
        return str(found[0][0]) if found else _FIRST_STAGE

    def _quarter_end(self) -> str:
        today = date.fromisoformat(self._moment[:10])
        month = (today.month + 2) // 3 * 3
        return date(today.year, month, monthrange(today.year, month)[1]).isoformat()

    def _write(self, type_name: str, write: Write) -> RecordId:
        org = self._org
        [result] = write_within(org, org.table(type_name), [write], self._moment)
        if result.outcome is not Outcome.DONE or result.id is None:
            raise Refused(result.code, result.message, result.fields)
        return result.id
