"""Maps beside the picklists that an org has: what is new, renamed, deactivated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dsl.picklists import drifts, uses_of_maps
from dsl.schema import ObjectType, Schema, Side, shipped_schema
from tests.dsl.support import checked

RULES = """
values lead_status {{
    "Open"     <-> "Open"
    "Working"  <-> "Working"
    "Old"       -> "Closed"
    "Lost"     <-> "Closed"
    {otherwise}
}}
sync Lead <-> prospect {{
    fields {{
        Status  {arrow}  title  via lead_status
        Rating  ->  {second}
    }}
}}
"""


def found(
    status: str,
    inactive: str = "",
    rating: str | None = None,
    arrow: str = "<->",
    otherwise: str = "",
) -> list[tuple[str, str, str | None, bool]]:
    """What is found where `Status` has these values, and `Rating`, if mapped as well, those."""
    second = "company" if rating is None else "occupation  via lead_status"
    text = RULES.format(arrow=arrow, second=second, otherwise=otherwise)
    program = checked(text).program
    lists = {"Status": status.split(), "Rating": (rating or "").split()}
    types = {key: shipped_schema().types[key] for key in shipped_schema().types}
    types[Side.SALESFORCE, "Lead"] = _with(types[Side.SALESFORCE, "Lead"], lists, inactive)
    schema = Schema(types, complete=True)
    uses = uses_of_maps(program.pairs, schema)["lead_status"]
    found = drifts(program.maps["lead_status"], uses)
    return [(each.what, each.value, each.near, each.harmless) for each in found]


def _with(lead: ObjectType, lists: Mapping[str, list[str]], inactive: str) -> ObjectType:
    fields = {
        name: replace(lead.fields[name], picklist=tuple(values)) for name, values in lists.items()
    }
    fields["Status"] = replace(fields["Status"], inactive=tuple(inactive.split()))
    return replace(lead, fields={**lead.fields, **fields})


def test_a_map_that_is_as_the_org_has_no_findings() -> None:
    assert found("Open Working Old Lost") == []


def test_a_new_value_is_told_unless_otherwise_speaks_for_it() -> None:
    assert found("Open Working Old Lost New") == [("new", "New", None, False)]
    assert found("Open Working Old Lost New", otherwise="otherwise same") == []
    assert found("Open Working Old Lost New", arrow="<-") == []


def test_a_renamed_value_is_told_with_both_its_names() -> None:
    expected = [("gone", "Working", "Busy", False), ("new", "Busy", "Working", False)]
    assert found("Open Busy Old Lost") == expected
    named = found("Open Old Lost Workings Other")
    assert ("new", "Workings", "Working", False) in named
    assert ("new", "Other", None, False) in named


def test_a_deactivated_value_is_a_fault_only_where_it_is_written() -> None:
    assert found("Open Working Old", "Lost") == [("inactive", "Lost", None, False)]
    assert found("Open Working Lost", "Old") == [("inactive", "Old", None, True)]


def test_one_of_the_picklists_that_a_map_serves_has_to_have_a_value() -> None:
    both = found("Open Working Lost", rating="Old Hot")
    assert both == [("new", "Hot", None, False)]
