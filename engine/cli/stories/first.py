"""The first story: what Crosswalk is, from rules to a conflict, so that a newcomer understands."""

from __future__ import annotations

from engine.cli.init import make_project
from engine.cli.project import Failure
from engine.cli.stories.teller import Step, Story, Teller

__all__ = ["FIRST"]

_LEAD = "00Q3z00001AmqLYEAZ"
_USER = "0055i000007S72zAAC"


def _project(teller: Teller) -> None:
    make_project(teller.folder, sample=True)
    teller.serve()
    teller.show("rules/leads.sync", 6, 22)


def _owner(teller: Teller) -> None:
    named = ("FirstName=Ann", "LastName=Lee", "Email=ann@example.com")
    teller.local("edit", "salesforce", "User", _USER, *named)


def _check(teller: Teller) -> None:
    teller.command("lint")
    teller.command("test")


def _plan(teller: Teller) -> None:
    teller.foretold = teller.command("plan", head=24)["counts"]


def _run(teller: Teller) -> None:
    if teller.command("run", head=0)["counts"] != teller.foretold:
        raise Failure("the run did something else than its plan foretold", 1)


def _both_sides(teller: Teller) -> None:
    prospect = teller.linked("Lead", _LEAD)
    teller.local("edit", "outreach", "prospect", prospect, "stage=Closed - Not Converted")
    teller.local("edit", "salesforce", "Lead", _LEAD, "Title=Director of Purchasing")
    teller.expect(teller.command("run"), updated=2, conflicts=0)


def _conflict(teller: Teller) -> None:
    prospect = teller.linked("Lead", _LEAD)
    teller.local("edit", "outreach", "prospect", prospect, "title=Head of Vendor Relations")
    teller.wait_for_a_later_second()
    teller.local("edit", "salesforce", "Lead", _LEAD, "Title=VP of Purchasing")
    teller.expect(teller.command("run"), updated=1, conflicts=1)
    teller.command("log", "--status", "conflict")


def _peace(teller: Teller) -> None:
    teller.expect(teller.command("run"), updated=0, created=0, conflicts=0)
    teller.command("status")


FIRST = Story(
    "first",
    "from the rules to a first run, edits on both sides and a conflict",
    (
        Step(
            "A project",
            "Rules are text files, one per object type: what flows which way, and when. Two sandbox"
            " servers on this machine stand in for Salesforce (with the Developer Edition's own"
            " sample data: 13 accounts, 22 leads, 20 contacts) and for Outreach, which is empty."
            " They speak the vendors' own protocols.",
            _project,
        ),
        Step(
            "An administrator's part",
            "The sample data tells no user's e-mail address, by which a user is known in Outreach."
            " The administrator fills it in, so that owners come over too.",
            _owner,
        ),
        Step(
            "Lint and test",
            "Before anything runs, the rules are checked against both schemas, and the tests beside"
            " them are played on empty orgs in memory.",
            _check,
        ),
        Step(
            "Plan",
            "A plan shows, record by record, what a run would write, and what it would cost in API"
            " calls. It writes to neither side.",
            _plan,
        ),
        Step("Run", "The run does exactly what the plan foretold.", _run),
        Step(
            "An edit on each side",
            "A salesperson moves Bertha Boxer's stage on in Outreach; at the same time an"
            " administrator corrects her title in Salesforce. Fields are decided one by one, so"
            " both edits survive.",
            _both_sides,
        ),
        Step(
            "A conflict",
            "Now both change the same field. The rule says `conflict prefer newest`: the later edit"
            " wins, and the log keeps both values.",
            _conflict,
        ),
        Step(
            "Nothing left to do",
            "Both sides agree. A second run reads what has changed since, which is nothing but its"
            " own writes, and writes nothing.",
            _peace,
        ),
    ),
)
