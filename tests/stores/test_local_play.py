"""Acts of salespeople on local orgs: how they are written, and what they leave behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.play import ACTS, read_act, read_script
from engine.play.slots import ACTIONS, STEPS
from engine.stores.local import LocalOrg
from engine.stores.local.play import Done, Failed, Stage, mark_complete
from tests.cli.program import crosswalk
from tests.stores.orgs import Clock, O, S, org_of, rows

ROSE = "rose@edge.com"
NOON = "2026-03-01T12:00:00.250Z"


@pytest.fixture
def at() -> Iterator[tuple[LocalOrg, Clock]]:
    org, clock = org_of(O)
    for first in ("Ann", "Bob"):
        email = f"{first.lower()}@edge.com"
        org.create("user", {"email": email, "firstName": first, "lastName": "Lee"})
    org.create("prospect", {"emails": [ROSE], "workPhones": ["555 1"], "owner": 2})
    yield org, clock
    org.close()


@pytest.fixture
def org(at: tuple[LocalOrg, Clock]) -> LocalOrg:
    return at[0]


def play(org: LocalOrg, script: str, acting: str | None = None) -> list[Done]:
    acts, wrong = read_script(script)
    assert wrong == []
    return list(Stage({O: org}, acting).play(acts))


def attributes(org: LocalOrg, type_name: str, record: int, *names: str) -> tuple[Any, ...]:
    found = org.get(type_name, record)
    assert found is not None
    to = {k: r["data"] and r["data"]["id"] for k, r in found["relationships"].items()}
    return tuple((found["attributes"] | to)[name] for name in names)


# -- what is written ----------------------------------------------------------------------------


def test_every_wrong_line_is_told_with_how_to_write_it() -> None:
    acts, wrong = read_script(
        "# a day\n"
        'snd "Intro" to a@b.co\n'
        'send "Intro to a@b.co\n'
        "call a@b.co for 3 lightyears\n"
        "text from a@b.co\n"
        "send Intro to a@b.co body\n"
        'send "Intro" to a@b.co by Ann by Bob\n'
        "task sing for a@b.co x\n"
        'book Demo with a@b.co at "next Monday"\n'
        "\n"
        'send "say \\"hi\\"" to a@b.co body "#1"  # fine\n'
    )
    assert [act.values for act in acts] == [
        {"subject": 'say "hi"', "prospect": "a@b.co", "body": "#1"}
    ]
    assert [w.line for w in wrong] == [2, 3, 4, 5, 6, 7, 8, 9]
    words = (
        "did you mean `send`",
        "does not end",
        "`2 hours`",
        "TEXT is missing",
        "TEXT is missing",
    )
    more = ("`by` is given twice", "action_item", "2026-12-01T10:00")
    for one, told in zip(wrong, (*words, *more), strict=True):
        assert told in one.message
    assert "write `call PROSPECT [for DURATION]" in wrong[2].message


def test_each_act_of_the_table_is_read_with_all_its_parts() -> None:
    words = {
        "SUBJECT": '"Hi you"',
        "DURATION": "2 hours",
        "ACTION": "call",
        "TIME": "2026-12-01T10:00",
        "ID": "1",
        "STEPS": "call,task",
        "URL": "https://x.y",
        "FIELD=VALUE…": "title=VP",
        **dict.fromkeys(("PROSPECT", "RECORD", "MASTER"), ROSE),
    }
    for form in ACTS:
        usage = form.usage.replace("[", "").replace("]", "")
        acts, wrong = read_script(" ".join(words.get(word, word) for word in usage.split()))
        assert (wrong, [act.name for act in acts]) == ([], [form.name])
        [act] = acts
        parts = [group.split()[0] for group in re.findall(r"\[([^]]*)", form.usage)]
        assert [part for part in parts if act.get(part) is None] == []


def test_an_act_is_typed_as_the_words_of_a_command() -> None:
    act = read_act(["send", "Hello Rose", "to", ROSE, "by", "Ann Lee"])
    assert act.values == {"subject": "Hello Rose", "prospect": ROSE, "by": "Ann Lee"}
    assert act.text == f'send "Hello Rose" to {ROSE} by "Ann Lee"'
    with pytest.raises(ValueError, match="`to` is missing"):
        read_act(["send", "Hello"])


# -- what it leaves behind ----------------------------------------------------------------------


def test_a_mail_is_delivered_opened_clicked_and_answered(at: tuple[LocalOrg, Clock]) -> None:
    org, clock = at
    play(org, f'send "Intro" to {ROSE} body "Hello" by ann@edge.com')
    assert attributes(org, "mailing", 1, "state", "mailingType", "deliveredAt", "openCount") == (
        ("delivered", "single", NOON, 0)
    )
    assert attributes(org, "mailing", 1, "user", "prospect", "mailboxAddress") == (
        (1, 1, "ann@edge.com")
    )
    clock.move(60)
    play(org, 'open "intro"\nclick "Intro"\nclick Intro\nreply Intro with "Yes, please"')
    assert attributes(org, "mailing", 1, "state", "openCount", "clickCount") == ("replied", 1, 2)
    assert attributes(org, "mailing", 1, "repliedAt", "openedAt") == (
        *["2026-03-01T12:01:00.250Z"] * 2,
    )
    assert attributes(org, "mailing", 2, "mailingType", "subject", "bodyText", "prospect") == (
        ("reply", "Re: Intro", "Yes, please", 1)
    )
    assert attributes(org, "prospect", 1, "openCount", "clickCount", "replyCount", "touchedAt") == (
        (1, 2, 1, NOON)
    )
    play(org, f'mail "Lunch" to {ROSE} outside\nreceive "Offer" from {ROSE}\nbounce "Lunch"')
    names = ("mailingType", "deliveredAt", "bouncedAt")
    later = "2026-03-01T12:01:00.250Z"
    assert attributes(org, "mailing", 3, *names) == ("external", None, later)
    assert attributes(org, "mailing", 4, *names) == ("inbound", later, None)


def test_calls_texts_tasks_and_meetings_get_what_only_outreach_writes(org: LocalOrg) -> None:
    play(
        org,
        f'call {ROSE} for 3 minutes disposition "Answered" purpose Intro\n'
        f'call {ROSE} disposition "answered" inbound by Ann\n'.replace("Ann", "1")
        + f'text {ROSE} "See you"\ntext from {ROSE} OK\n'
        f'task action_item for {ROSE} "Send it" due 2 days\n'
        f"book Demo with {ROSE} at 2026-12-01T10:00+01:00 for 45 minutes\n",
    )
    names = ("state", "outcome", "answeredAt", "completedAt", "direction", "callDisposition")
    began = "2026-03-01T11:57:00.250Z"
    assert attributes(org, "call", 1, *names, "to", "user") == (
        ("completed", "completed", began, NOON, "outbound", 1, "555 1", 2)
    )
    assert attributes(org, "call", 2, *names, "from", "user") == (
        ("completed", "no_answer", None, NOON, "inbound", 1, "555 1", 1)
    )
    assert rows(org, "callDisposition", "name") == [(1, "Answered")]
    assert attributes(org, "text", 1, "direction", "sentAt", "receivedAt") == (
        "outbound",
        NOON,
        None,
    )
    assert attributes(org, "text", 2, "direction", "sentAt", "receivedAt") == (
        "inbound",
        None,
        NOON,
    )
    names = ("state", "completed", "completedAt", "completer", "dueAt", "owner")
    due = "2026-03-03T12:00:00.250Z"
    assert attributes(org, "task", 1, *names) == ("incomplete", False, None, None, due, 2)
    mark_complete(org.file, 1, "ann@edge.com")
    assert attributes(org, "task", 1, *names) == ("complete", True, NOON, 1, due, 2)
    play(org, "move meeting Demo to 2026-12-02T10:00")
    names = ("state", "startTime", "endTime", "bookedAt", "rescheduledAt", "canceledAt")
    times = ("2026-12-02T10:00:00.000Z", "2026-12-02T10:45:00.000Z")
    assert attributes(org, "meeting", 1, *names) == ("rescheduled", *times, NOON, NOON, None)
    play(org, "cancel meeting Demo")
    assert attributes(org, "meeting", 1, *names) == ("canceled", *times, NOON, NOON, NOON)


def test_a_prospects_place_in_a_sequence_is_read_and_seen_as_it_moves(
    at: tuple[LocalOrg, Clock],
) -> None:
    org, clock = at
    words = ("id", "name", "status", "active", "step_number", "step_type", "task_due")
    fields = [f"sequence.{word}" for word in words]
    play(org, "make sequence Nurture with auto_email,call,task")
    seen: list[tuple[Any, ...]] = []
    [page] = org.scan("prospect", fields, None)
    cursor = page.last
    for line in (
        f"add {ROSE} to sequence nurture",
        f"advance {ROSE}",
        f"complete task for {ROSE}",
        f"pause {ROSE}",
        f"resume {ROSE}",
        f"complete task for {ROSE}",
    ):
        clock.move(60)
        play(org, line)
        [page] = org.scan("prospect", fields, cursor)
        seen += [row[2:] for row in page.rows]
        cursor = page.last
    at_call, at_task = "2026-03-01T12:02:00.250Z", "2026-03-01T12:03:00.250Z"
    assert seen == [
        (1, "Nurture", "active", True, 1, "auto_email", None),
        (1, "Nurture", "active", True, 2, "call", at_call),
        (1, "Nurture", "active", True, 3, "task", at_task),
        (1, "Nurture", "paused", False, 3, "task", at_task),
        (1, "Nurture", "active", True, 3, "task", at_task),
        (None, None, None, False, None, None, None),
    ]
    assert attributes(org, "mailing", 1, "mailingType", "sequenceState") == ("sequence", 1)
    assert attributes(org, "task", 1, "taskType", "action", "completed") == (
        ("sequence_step_call", "call", True)
    )
    # A state that somebody writes or deletes by the API is seen as well.
    clock.move(60)
    made = org.create("sequenceState", {"prospect": 1, "sequence": 1})
    [page] = org.scan("prospect", fields, cursor)
    assert [row[2] for row in page.rows] == [1]
    clock.move(60)
    org.delete("sequenceState", made)
    [page] = org.scan("prospect", fields, page.last)
    assert [row[2] for row in page.rows] == [None]


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ('reply "Nurture: step 1" with Yes', "finished"),
        ('bounce "Nurture: step 1"', "bounced"),
        (f"opt out {ROSE}", "opted_out"),
        (f"finish {ROSE}", "finished"),
    ],
)
def test_what_takes_a_prospect_out_of_its_sequence(org: LocalOrg, line: str, state: str) -> None:
    play(org, f"make sequence Nurture with auto_email,call\nadd {ROSE} to sequence Nurture\n{line}")
    assert attributes(org, "sequenceState", 1, "state") == (state,)
    assert rows(org, "prospect", "sequence.active") == [(1, False)]
    with pytest.raises(Failed, match="no sequence that"):
        play(org, f"advance {ROSE}")


def test_an_act_that_cannot_be_done_ends_the_play_and_leaves_no_trace(org: LocalOrg) -> None:
    stage = Stage({O: org})
    acts, _ = read_script(f"send Intro to {ROSE}\nsend Intro to {ROSE} by Zoe\nopen Intro")
    done = []
    with pytest.raises(Failed, match="no user Zoe") as failed:
        done.extend(stage.play(acts))
    assert failed.value.act.line == 2
    assert attributes(org, "mailing", 1, "openCount") == (0,)
    assert len(rows(org, "mailing")) == 1
    with pytest.raises(Failed, match="neither org has a type `lead`"):
        list(stage.play([read_act(["edit", "lead", ROSE, "Title=VP"])]))


def test_waiting_moves_the_clocks_of_both_orgs_for_good(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    outreach, _ = org_of(O, path)
    salesforce, _ = org_of(S)
    list(Stage({O: outreach, S: salesforce}).play([read_act(["wait", "2", "hours"])]))
    assert outreach.now() == "2026-03-01T14:00:00.250Z"
    assert salesforce.now()[:16] == "2026-03-01T14:00"
    outreach.close()
    again, clock = org_of(O, path)
    clock.move(60)
    assert again.now() == "2026-03-01T14:01:00.250Z"
    again.close()
    salesforce.close()


def test_the_command_plays_a_script_and_tells_what_it_made(tmp_path: Path) -> None:
    assert crosswalk(tmp_path, "init", ".").code == 0
    crosswalk(tmp_path, "local", "create", "outreach", "prospect", f"emails={ROSE}")
    wrong = crosswalk(tmp_path, "local", "play", "-", stdin=f"snd x to {ROSE}\nopen\n")
    assert (wrong.code, wrong.out) == (2, "")
    assert ("-:1: `snd`" in wrong.err, "-:2: SUBJECT" in wrong.err) == (True, True)
    (tmp_path / "day.play").write_text(f"send Intro to {ROSE}\nopen Other\nopen Intro\n")
    stopped = crosswalk(tmp_path, "local", "play", "day.play", "--format", "json")
    assert stopped.code == 1
    assert stopped.json["failed"]["line"] == 2
    assert stopped.json["acts"][0]["records"] == [{"side": "outreach", "type": "mailing", "id": 1}]
    assert crosswalk(tmp_path, "local", "play", "open", "Intro").out == "mailing 1\n"


def test_the_help_names_all_that_an_action_may_be() -> None:
    from engine.play import HELP

    assert [a for a in ACTIONS if a not in HELP] == []
    assert {"auto_email", "call", "task"} <= set(STEPS)
