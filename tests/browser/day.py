"""What people do in the sample org, so that each page of the console has something to show."""

from __future__ import annotations

from engine.model import Side
from tests.browser.estate import Estate, until

__all__ = ["BERTHA", "PHYLLIS", "live_a_day", "settled"]

BERTHA = "00Q3z00001AmqLYEAZ"
PHYLLIS = "00Q3z00001AmqLZEAZ"
_ROSE = "0033z00002fsAupAAE"
_ACTS = """\
send "Generators for Edge" to rose@edge.com body "Hello Rose"
open "Generators for Edge"
reply "Generators for Edge" with "Call me at ten"
call rose@edge.com for 4 minutes disposition "Connected" purpose "Demo" note "Wants a demo"
call bond_john@grandhotels.com disposition "No answer"
text bond_john@grandhotels.com "Tried to reach you"
make sequence "Warm up" with auto_email,call,task
add norm_may@greenwich.net to sequence "Warm up"
book "Demo" with rose@edge.com at 2030-05-02T10:00 for 45 minutes location "Austin"
"""
_LONG = (
    "Vice President of Procurement, Facilities, Fleet, Energy and all else that a company buys" * 2
)


def settled(estate: Estate) -> None:
    """After the first run, when everybody is linked."""
    until(
        lambda: estate.linked("Lead", PHYLLIS) and estate.linked("Contact", _ROSE), "all are linked"
    )


def live_a_day(estate: Estate) -> None:
    """Mails, calls, a meeting; then a conflict, a refusal and two leads that are one prospect."""
    estate.play(_ACTS)
    clash(estate, BERTHA, "Head of Procurement", "Chief Buyer")
    estate.edit(Side.OUTREACH, "prospect", estate.linked("Lead", PHYLLIS), title=_LONG)
    until(lambda: estate.log(status="refused"), "a title that is too long is refused")


def clash(estate: Estate, lead: str, salesforce: str, outreach: str) -> None:
    """Both sides change a title before either is looked at."""
    before = len(estate.log(status="conflict"))
    estate.edit(Side.SALESFORCE, "Lead", lead, Title=salesforce)
    estate.edit(Side.OUTREACH, "prospect", estate.linked("Lead", lead), title=outreach)
    until(lambda: len(estate.log(status="conflict")) > before, "a conflict was seen")
