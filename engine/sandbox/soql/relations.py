"""How types of a local org refer to each other: children by name, and what a `Name` has."""

from __future__ import annotations

from dataclasses import dataclass

from dsl.schema import Field, Kind, Side, shipped_schema
from engine.stores.local.org import OrgFile

__all__ = ["NAME_FIELDS", "Relationship", "child_name", "children_of"]

#: The relationships to children that Salesforce names by itself, by the child's type and field.
_STANDARD = {
    ("Account", "ParentId"): "ChildAccounts",
    ("Contact", "AccountId"): "Contacts",
    ("Event", "WhatId"): "Events",
    ("Event", "WhoId"): "Events",
    ("Opportunity", "AccountId"): "Opportunities",
    ("OpportunityContactRole", "ContactId"): "OpportunityContactRoles",
    ("OpportunityContactRole", "OpportunityId"): "OpportunityContactRoles",
    ("Task", "WhatId"): "Tasks",
    ("Task", "WhoId"): "Tasks",
    ("User", "ManagerId"): "ManagedUsers",
    ("User", "UserRoleId"): "Users",
}

#: What can be read through a reference to several types: the fields of the `Name` object, by the
#: reference of Salesforce's objects. `Type` is the type's own name.
_OF_NAME = (
    "Alias Email FirstName Id IsActive LastName LastReferencedDate LastViewedDate MiddleName Name"
    " NameOrAlias Phone ProfileId RecordTypeId Suffix Title Type UserRoleId Username"
)
NAME_FIELDS = frozenset(_OF_NAME.split(" "))


@dataclass(frozen=True, slots=True)
class Relationship:
    """`Contacts` of an Account: the children's type, and their field that names the parent."""

    name: str
    type: str
    field: str


def children_of(org: OrgFile, type_name: str) -> list[Relationship]:
    """The relationships to a type's children that can be queried."""
    found = []
    for child in shipped_schema().names(Side.SALESFORCE):
        type_ = org.describe(child)
        for field in type_.fields.values() if type_ is not None else ():
            if field.kind is Kind.REFERENCE and type_name in field.references:
                name = child_name(child, field)
                if name is not None:
                    found.append(Relationship(name, child, field.name))
    return found


def child_name(child: str, field: Field) -> str | None:
    """What a child's reference is called from the parent's side; None if it has no name there."""
    if field.name.endswith("__c"):
        plural = child[:-1] + "ies" if child.endswith("y") else child + "s"
        return f"{plural}__r"
    return _STANDARD.get((child, field.name))
