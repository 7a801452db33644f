"""The rules that the simulation runs, and what they allow, written out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from functools import cache

from dsl.program import Program
from engine.compiled import Compiled
from engine.model import Side
from tests.engine.rules import program_of

__all__ = ["CODED", "LANDS", "Land", "Line", "Sync", "ready"]

S, O = Side.SALESFORCE, Side.OUTREACH  # noqa: E741
BOTH = frozenset((S, O))


@dataclass(frozen=True)
class Line:
    """One field on both sides; `sources` are the sides whose edits flow to the other one.

    `kept` says that an empty value does not overwrite; users always give what is `required`.
    """

    names: dict[Side, str]
    sources: frozenset[Side] = BOTH
    kept: bool = False
    required: bool = False


@dataclass(frozen=True)
class Sync:
    """One pair of types: its lines, by which one is matched, and into which sides it creates.

    `marker` is a line that users never edit, so that a record can be told by it. `reference` is a
    line whose value is a record of the pair `refers`.
    """

    types: dict[Side, str]
    lines: tuple[Line, ...]
    marker: Line
    key: Line
    creates: frozenset[Side] = BOTH
    updates: frozenset[Side] = BOTH
    reference: Line | None = None
    refers: str = ""
    fixed: dict[Side, dict[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.types[S]}<->{self.types[O]}"

    def all_lines(self) -> Iterator[Line]:
        """Every line of the sync, the reference aside."""
        yield from (self.marker, self.key, *self.lines)


@dataclass(frozen=True)
class Land:
    """One set of rules, and what it means; `external_ids` are custom fields by their types."""

    name: str
    rules: str
    syncs: tuple[Sync, ...]
    external_ids: tuple[tuple[str, str], ...] = ()

    def program(self) -> Program:
        return self.compiled().program

    def compiled(self) -> Compiled:
        """The program made ready, once for all histories."""
        return ready(self.rules)

    def sync_of(self, side: Side, type_name: str) -> Sync:
        return next(s for s in self.syncs if s.types[side] == type_name)


@cache
def ready(rules: str) -> Compiled:
    """A land's rules made ready, once until the engine itself is changed."""
    return Compiled(program_of(rules), UTC)


def _line(left: str, right: str, sources: frozenset[Side] = BOTH, **how: bool) -> Line:
    return Line({S: left, O: right}, sources, **how)


_LEADS = Sync(
    {S: "Lead", O: "prospect"},
    lines=(
        _line("Title", "title"),
        _line("City", "addressCity"),
        _line("LastName", "lastName", kept=True, required=True),
        _line("Website", "custom1", frozenset((S,)), kept=True),
        _line("Description", "custom2", frozenset((O,))),
    ),
    marker=_line("Company", "company"),
    key=_line("Email", "emails"),
)
_LEAD_FIELDS = """
    fields {
        Company <-> company
        Email <-> emails
        Title <-> title
        City <-> addressCity
        LastName <-> lastName prevent empty
        Website -> custom1 prevent empty
        Description <- custom2
    }
"""


def _leads(policy: str) -> Land:
    return Land(
        f"leads, prefer {policy}",
        f"""
sync Lead <-> prospect {{
    match Email = emails
    polling
    inbound create
    inbound update
    pushing
    outbound create
    outbound update
    conflict prefer {policy}
    {_LEAD_FIELDS}
}}
""",
        (_LEADS,),
    )


_INBOUND = Land(
    "leads, inbound only",
    f"""
sync Lead <-> prospect {{
    match Email = emails
    polling
    inbound create
    inbound update
    {_LEAD_FIELDS}
}}
""",
    (
        Sync(
            _LEADS.types,
            _LEADS.lines,
            _LEADS.marker,
            _LEADS.key,
            frozenset((O,)),
            frozenset((O,)),
        ),
    ),
)
_ACCOUNTS = Sync(
    {S: "Account", O: "account"},
    lines=(_line("Description", "custom1"),),
    marker=_line("Site", "custom3", frozenset((S,))),
    key=_line("Name", "name", kept=True, required=True),
    creates=frozenset((O,)),
)
_CONTACTS = Sync(
    {S: "Contact", O: "prospect"},
    lines=(
        _line("LastName", "lastName", kept=True, required=True),
        _line("Title", "title"),
        _line("Description", "custom1", frozenset((S,))),
    ),
    marker=_line("Department", "occupation"),
    key=_line("Email", "emails"),
    creates=frozenset((O,)),
    reference=_line("AccountId", "account"),
    refers="Account<->account",
)
_PEOPLE = Land(
    "accounts and contacts",
    """
sync Account <-> account {
    match Name = name
    polling
    inbound create
    inbound update
    pushing
    outbound update
    fields { Name <-> name prevent empty  Site -> custom3  Description <-> custom1 }
}
sync Contact <-> prospect {
    match Email = emails
    polling
    inbound create
    inbound update
    pushing
    outbound update
    fields {
        Department <-> occupation
        Email <-> emails
        LastName <-> lastName prevent empty
        Title <-> title
        Description -> custom1
        AccountId <-> account
    }
}
""",
    (_ACCOUNTS, _CONTACTS),
)

_CODE = _line("Code__c", "externalId")
#: Not among the others: what their seeds tell is to stay.
CODED = Land(
    "leads by an external id, prefer outreach",
    f"""
sync Lead <-> prospect {{
    match Code__c = externalId
    polling
    inbound create
    inbound update
    pushing
    outbound create
    outbound update
    conflict prefer outreach
    {_LEAD_FIELDS.replace("Email <-> emails", "Code__c <-> externalId")}
}}
""",
    (Sync(_LEADS.types, _LEADS.lines, _LEADS.marker, _CODE),),
    (("Lead", "Code__c"),),
)

LANDS = (_leads("newest"), _PEOPLE, _leads("salesforce"), _INBOUND, _leads("outreach"))
