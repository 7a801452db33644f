"""What people do in Outreach becomes tasks and events: once, and in few calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.activities import able
from engine.ledger import schema
from engine.model import Action
from engine.ports import Unreachable
from engine.titles import title_of
from tests.engine.activities import put, put_all
from tests.engine.test_crash import CutOff
from tests.engine.test_owners import user
from tests.engine.world import O, S, World, world

RULES = """
sync User <-> user { match Email = email  polling  fields { Email -> email } }
sync Account <-> account { match Name = name  polling  fields { Name -> name } }
sync Opportunity <-> opportunity { match Name = name  polling  fields { Name -> name } }
sync Lead <-> prospect {
    match Email = emails
    polling  fields { Email -> emails }
    activities { ACTIVITIES }
}
sync Contact <-> prospect {
    match Email = emails
    polling  fields { Email -> emails }
    CLAUSES
    activities { CONTACTS }
}
"""
DELIVERED = "2026-11-23T09:20:00.000Z"
SENT = {"mailingType": "single", "deliveredAt": DELIVERED, "subject": "Hello"}


def rules(activities: str, contacts: str | None = None, clauses: str = "") -> str:
    found = RULES.replace("ACTIVITIES", activities).replace("CLAUSES", clauses)
    return found.replace("CONTACTS", activities if contacts is None else contacts)


def people(at: World, *types: str) -> tuple[str, int]:
    """A prospect that is linked to a record of each of the types."""
    email = f"rose{len(at.all(O, 'prospect'))}@edge.com"
    prospect = at.create(O, "prospect", emails=[email])
    if "Lead" in types:
        at.create(S, "Lead", LastName="Rose", Company="Edge", Email=email)
    if "Contact" in types:
        at.create(S, "Contact", LastName="Rose", Email=email)
    at.run()
    return ("prospect", int(prospect))


def subjects(at: World, type_name: str = "Task") -> list[str]:
    return sorted(str(row[0]) for row in at.all(S, type_name, "Subject").values())


@pytest.fixture
def standard() -> Iterator[World]:
    with world(rules("email sent  call logged  task completed  meeting booked")) as at:
        yield at


def test_an_activity_is_written_once_and_a_second_run_writes_nothing(standard: World) -> None:
    prospect = people(standard, "Lead")
    put(standard, "mailing", 1, prospect=prospect, **SENT)
    assert standard.run().counts["created"] == 1
    put(standard, "mailing", 1, prospect=prospect, openedAt=DELIVERED, **SENT)
    summary = standard.run()
    assert not any(summary.counts.values())
    assert summary.calls["salesforce"] == 5  # one for each type that is polled, none for the e-mail
    assert subjects(standard) == ["[Outreach] [Email] [Out] Hello"]


def test_an_activity_waits_for_its_prospect_to_be_linked(standard: World) -> None:
    prospect = standard.create(O, "prospect", emails=["rose@edge.com"])
    put(standard, "mailing", 1, prospect=("prospect", int(prospect)), **SENT)
    standard.run()
    assert standard.all(S, "Task") == {}
    (waits,) = [c for c in standard.changes if c.action is Action.SKIP]
    assert waits.reason == f"waits until prospect {prospect} has its Contact or Lead"
    lead = standard.create(S, "Lead", LastName="Rose", Company="Edge", Email="rose@edge.com")
    standard.run()
    assert list(standard.all(S, "Task", "WhoId").values()) == [(lead,)]


def test_what_waits_for_longer_than_90_days_is_let_go(standard: World) -> None:
    prospect = standard.create(O, "prospect", emails=["rose@edge.com"])
    put(standard, "mailing", 1, prospect=("prospect", int(prospect)), **SENT)
    standard.run()
    assert len(list(standard.ledger.rows(schema.pending.select()))) == 2  # a contact, or a lead
    standard.clock.pass_(days=91)
    standard.run()
    assert list(standard.ledger.rows(schema.pending.select())) == []


def test_the_contact_counts_where_a_prospect_is_both(standard: World) -> None:
    prospect = people(standard, "Lead", "Contact")
    put(standard, "call", 1, prospect=prospect, state="completed")
    standard.run()
    ((who,),) = standard.all(S, "Task", "WhoId").values()
    assert who in standard.all(S, "Contact")


def test_where_two_syncs_differ_the_one_of_whom_it_is_about_decides() -> None:
    lead = 'email sent title "lead: {{ subject }}"  call logged'
    with world(rules(lead, 'email sent title "contact: {{ subject }}"')) as at:
        for number, types in enumerate([("Lead",), ("Contact",), ("Lead", "Contact")], 1):
            prospect = people(at, *types)
            put(at, "mailing", number, prospect=prospect, **SENT)
            put(at, "call", number, prospect=prospect, state="completed")
        at.run()
        assert subjects(at) == [
            "[Outreach] [Call]",
            "contact: Hello",
            "contact: Hello",
            "lead: Hello",
        ]
        reasons = {c.reason for c in at.changes if c.action is Action.SKIP}
        assert reasons == {"`call logged` is not among the activities of the sync of Contact"}


def test_owner_and_opportunity_are_set_where_they_are_linked(standard: World) -> None:
    ann, theirs = user(standard, "ann")
    deal = standard.create(
        S, "Opportunity", Name="Deal", StageName="Qualification", CloseDate="2026-12-01"
    )
    put(standard, "opportunity", 1, name="Deal")
    contact, lead = people(standard, "Contact"), people(standard, "Lead")
    owned = {"user": ("user", theirs), "opportunity": ("opportunity", 1)}
    put(standard, "mailing", 1, prospect=contact, **owned, **SENT)
    put(standard, "mailing", 2, prospect=lead, **owned, **SENT)
    standard.create(O, "user", email="bob@us.com", firstName="Bob", lastName="Ray")
    put(standard, "mailing", 3, prospect=lead, user=("user", theirs + 1), **SENT)
    assert standard.run().counts["created"] == 3
    what = standard.all(S, "Task", "WhatId", "OwnerId").values()
    assert sorted(map(str, what)) == sorted(map(str, [(deal, ann), (None, ann), (None, ann)]))


@pytest.mark.parametrize("stages", [["Qualification"], ["Qualification", "Prospecting"]])
def test_the_fallback_takes_the_only_open_opportunity_of_the_account(stages: list[str]) -> None:
    with world(rules("email sent", clauses="fallback association")) as at:
        account = at.create(S, "Account", Name="Edge")
        theirs = at.create(O, "account", name="Edge")
        for stage in stages:
            at.create(
                S,
                "Opportunity",
                Name=stage,
                AccountId=account,
                StageName=stage,
                CloseDate="2026-12-01",
            )
        prospect = people(at, "Contact")
        at.edit(O, "prospect", prospect[1], account=theirs)
        put(at, "mailing", 1, prospect=prospect, **SENT)
        at.run()
        ((what,),) = at.all(S, "Task", "WhatId").values()
        assert (what is not None) is (len(stages) == 1)


def test_an_event_that_is_there_is_linked_and_not_made_again(standard: World) -> None:
    ann, theirs = user(standard, "ann")
    prospect = people(standard, "Lead")
    times = {"startTime": "2026-11-25T09:00:00.000Z", "endTime": "2026-11-25T09:30:00.000Z"}
    meeting = {"prospect": prospect, "user": ("user", theirs), "subject": "Demo", **times}
    event = standard.create(
        S,
        "Event",
        Subject="[outreach] [meeting] [booked] demo",
        OwnerId=ann,
        StartDateTime="2026-11-25T10:00:00+01:00",
        EndDateTime="2026-11-25T10:30:00+01:00",
    )
    put_all(standard, "meeting", {1: meeting, 2: meeting, 3: {**meeting, "endTime": None}})
    counts = standard.run().counts
    assert (counts["linked"], counts["created"], counts["skipped"]) == (1, 1, 1)
    assert len(standard.all(S, "Event")) == 2
    assert list(standard.ledger.others("Event<->meeting meeting", S, [event]).values()) == [1]


def test_an_all_day_meeting_is_on_its_day_in_the_projects_zone(standard: World) -> None:
    prospect = people(standard, "Lead")
    days = {"startTime": "2026-11-25T00:00:00.000Z", "endTime": "2026-11-27T00:00:00.000Z"}
    put(standard, "meeting", 1, prospect=prospect, subject="Fair", allDay=True, **days)
    assert standard.run().counts["created"] == 1
    fields = ("IsAllDayEvent", "ActivityDate", "DurationInMinutes")
    assert list(standard.all(S, "Event", *fields).values()) == [(True, "2026-11-25", 2880)]


def test_an_open_task_is_written_and_completed_in_its_place() -> None:
    with world(rules("task created  task completed { CallDisposition <- action }")) as at:
        prospect = people(at, "Lead")
        task = {"prospect": prospect, "action": "call", "dueAt": "2026-11-28T09:00:00.000Z"}
        put(at, "task", 1, state="incomplete", **task)
        at.run()
        fields = ("Subject", "Status", "ActivityDate", "CallDisposition")
        ((record, open_),) = at.all(S, "Task", *fields).items()
        assert open_ == ("[Outreach] [Task] [Created] call", "Not Started", "2026-11-28", None)
        put(at, "task", 1, state="completed", completedAt="2026-11-24T09:00:00.000Z", **task)
        assert at.run().counts["updated"] == 1
        title = "[Outreach] [Task] [Completed] call"
        done = (title, "Completed", "2026-11-24", "call")
        assert at.all(S, "Task", *fields) == {record: done}
        assert not any(at.run().counts.values())


@pytest.mark.parametrize(("origin", "found"), [("", [1, 4]), ("from anywhere", [1, 2, 4])])
def test_mail_from_outside_is_taken_where_the_rule_says_so(origin: str, found: list[int]) -> None:
    with world(rules(f"email sent {origin}")) as at:
        prospect = people(at, "Lead")
        kinds = ["sequence", "external", "reply", None, "inbound"]
        mails = {
            number: {"prospect": prospect, "mailingType": kind, "deliveredAt": DELIVERED}
            for number, kind in enumerate(kinds, 1)
        }
        put_all(at, "mailing", {**mails, 6: {"prospect": prospect, "mailingType": "single"}})
        at.run()
        pair = "Task<->mailing email sent"
        assert sorted(at.ledger.others(pair, O, list(range(1, 7)))) == found


def test_another_template_rewrites_nothing() -> None:
    with world(rules("meeting booked  meeting rescheduled  email sent")) as at:
        prospect = people(at, "Lead")
        meeting = {"prospect": prospect, "subject": "Demo", "startTime": "2026-11-25T09:00:00.000Z"}
        put(at, "meeting", 1, **meeting)
        put(at, "mailing", 1, prospect=prospect, **SENT)
        at.run()
        at.rules(
            rules('meeting booked title "{{ subject }}"  meeting rescheduled  email sent title "x"')
        )
        put(at, "meeting", 1, location="Austin", **meeting)
        put(at, "mailing", 1, prospect=prospect, openedAt=DELIVERED, **SENT)
        assert not any(at.run().counts.values())


@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_is_cut_off_writes_no_activity_twice(standard: World, after: bool) -> None:
    prospect = people(standard, "Lead")
    put_all(standard, "mailing", {n: {"prospect": prospect, **SENT} for n in (1, 2, 3)})
    put(standard, "meeting", 1, prospect=prospect, subject="Demo", startTime=DELIVERED)
    for call in (1, 1):
        standard.stores[S] = CutOff(standard.orgs[S], call, after, Unreachable("no answer"))
        with pytest.raises(Unreachable):
            standard.run()
    standard.stores[S] = standard.orgs[S]
    standard.run()
    assert len(standard.all(S, "Task")) == 3
    assert len(standard.all(S, "Event")) == 1


def mixed(number: int, about: dict[str, Any]) -> dict[str, Any]:
    """One mailing of many: most were sent, some came in, and a few bounced."""
    kind = {0: "bounced", 5: "reply", 10: "reply"}.get(number % 20, "single")
    values = {**about, "mailingType": kind, "subject": f"About {number}"}
    if kind != "bounced":
        return {**values, "deliveredAt": DELIVERED}
    return {**values, "mailingType": "single", "bouncedAt": DELIVERED}


def test_a_day_uses_at_most_one_call_for_200_activities_with_all_that_is_read() -> None:
    kinds = "email sent  email received  email bounced  call logged  task completed  meeting booked"
    with world(rules(kinds)) as at:
        _, ann = user(at, "ann")
        about = {"prospect": people(at, "Lead"), "user": ("user", ann)}
        times = {"startTime": DELIVERED, "endTime": DELIVERED}
        numbers = {"mailing": 2000, "call": 800, "task": 400, "meeting": 80}  # of 20 salespeople
        values: dict[str, Callable[[int], dict[str, Any]]] = {
            "mailing": lambda number: mixed(number, about),
            "call": lambda _: {**about, "state": "completed"},
            "task": lambda _: {"prospect": about["prospect"], "completedAt": DELIVERED},
            "meeting": lambda number: {**about, **times, "subject": f"Demo {number}"},
        }
        for name, count in numbers.items():
            put_all(at, name, {n: values[name](n) for n in range(1, count + 1)})
        foretold = at.plan()[0].calls["salesforce"]
        summary = at.run()
        assert summary.counts["created"] == sum(numbers.values())
        assert summary.calls["salesforce"] <= summary.counts["created"] / 200
        assert summary.calls["salesforce"] == foretold


def test_looking_for_events_that_are_there_is_one_call_for_200_meetings(standard: World) -> None:
    _, ann = user(standard, "ann")
    about = {"prospect": people(standard, "Lead"), "user": ("user", ann), "startTime": DELIVERED}
    put_all(standard, "meeting", {n: {**about, "subject": f"Demo {n}"} for n in range(1, 201)})
    idle = 5  # one for each type that is polled
    looked_up, written = 1 + 1, 1  # the owner, who may have left, and the events
    assert standard.run().calls["salesforce"] == idle + looked_up + written
    put_all(standard, "meeting", {n: {**about, "subject": f"Demo {n}"} for n in range(1, 201)})
    assert standard.run().calls["salesforce"] == idle


def test_what_the_connected_outreach_does_not_tell_of_is_said_and_left_out(
    standard: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = standard.orgs[O].describe
    monkeypatch.setattr(
        standard.orgs[O], "describe", lambda name: None if name == "meeting" else known(name)
    )
    program, told = able(standard.program, standard.stores)
    assert "Event<->meeting meeting" not in {pair.name for pair in program.pairs}
    (word,) = told
    assert word.startswith("the connected Outreach has no type `meeting`, so activities")


# -- titles -------------------------------------------------------------------------------------


def test_a_title_that_fails_gives_way_to_a_plain_one_and_is_logged() -> None:
    with world(rules('email sent title "{{ subject | truncate(subject) }}"')) as at:
        put(at, "mailing", 1, prospect=people(at, "Lead"), **SENT)
        assert at.run().counts["created"] == 1
        assert subjects(at) == ["Email sent: Hello"]
        logged = [row for row in at.ledger.rows(schema.log.select()) if "title" in row["status"]]
        assert [row["message"][:33] for row in logged] == ["the title of `email sent` fails: "]


def test_a_title_is_one_line_of_255_characters_and_reads_what_is_referred_to() -> None:
    title = "{{ prospect.emails }} {% if openCount %}opened{% endif %} {{ subject }}"
    with world(rules(f'email sent title "{title}"')) as at:
        prospect = people(at, "Lead")
        put(at, "mailing", 1, prospect=prospect, **{**SENT, "subject": "a\n b" * 300})
        at.run()
        (subject,) = subjects(at)
        assert subject.startswith("rose0@edge.com a ba ba b")
        assert len(subject) in (254, 255)


@pytest.mark.parametrize(
    "title",
    [
        "{% for a in note %}{% for b in note %}{{ b }}{% endfor %}{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{{ note.ljust(1000000000) }}",
        "{{ 2 ** 99999999 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ note }}" * 1000,
    ],
)
def test_a_title_that_could_run_on_is_not_rendered_at_all(title: str) -> None:
    with pytest.raises(ValueError, match="title"):
        title_of(title)


def test_filters_upon_filters_stay_small() -> None:
    made = title_of("{{ note" + "| replace('', 'abcdefgh')" * 60 + " }}")
    assert len(made.render(["x" * 100_000])) == 255
