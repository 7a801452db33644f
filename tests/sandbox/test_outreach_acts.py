"""What the API does besides records: actions, bulk upserts, labels and the activity feed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dsl.schema import Side
from engine.play import read_script
from engine.stores.local import open_org
from engine.stores.local.play import Stage
from tests.sandbox.outreach_client import Client, errors, outreach


@pytest.fixture
def org(tmp_path: Path) -> Path:
    return tmp_path / "outreach.db"


@pytest.fixture
def client(org: Path) -> Iterator[Client]:
    with outreach(org) as found:
        found.make("user", email="u@example.com", firstName="U", lastName="V")
        found.make("prospect", firstName="Al", emails=["al@example.com"])
        yield found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One server for all that is refused; task 1 is open."""
    with outreach(tmp_path_factory.mktemp("org") / "outreach.db") as found:
        found.make("task", action="call")
        yield found


def _play(org: Path, script: str) -> None:
    """What somebody does in the org in another process."""
    acts, wrong = read_script(script)
    assert not wrong
    here = open_org(Side.OUTREACH, org)
    list(Stage({Side.OUTREACH: here}).play(acts))
    here.close()


def test_a_task_is_completed_snoozed_put_off_and_given_away(client: Client) -> None:
    task = client.make("task", action="call")
    act = f"tasks/{task}/actions"
    put_off = client.ask("POST", f"{act}/reschedule?actionParams[dueAt]=2030-01-02T03:04:05Z")
    assert put_off.json()["data"]["attributes"]["dueAt"] == "2030-01-02T03:04:05.000Z"
    snoozed = client.ask("POST", f"{act}/snooze").json()["data"]["attributes"]["dueAt"]
    assert snoozed < "2030"
    given = client.ask("POST", f"{act}/reassignOwner?actionParams[ownerId]=1").json()["data"]
    assert given["relationships"]["owner"]["data"] == {"type": "user", "id": 1}
    done = client.ask("POST", f"{act}/markComplete?actionParams[completionNote]=well").json()
    assert done["data"]["attributes"]["state"] == "complete"
    assert done["data"]["attributes"]["completed"] is True
    again = client.ask("POST", f"{act}/markComplete")
    assert (again.status_code, errors(again)) == (422, [("validationError", "/data")])


@pytest.mark.parametrize(
    ("path", "status", "place"),
    [
        ("tasks/99/actions/markComplete", 404, ""),
        ("tasks/1/actions/forget", 404, ""),
        ("prospects/1/actions/markComplete", 404, ""),
        ("tasks/1/actions/markComplete?actionParams[why]=x", 400, "actionParams[why]"),
        ("tasks/1/actions/reschedule", 422, "actionParams[dueAt]"),
        ("tasks/1/actions/reschedule?actionParams[dueAt]=soon", 422, "/data/attributes/dueAt"),
        ("tasks/1/actions/reassignOwner?actionParams[ownerId]=9", 422, "/data/relationships/owner"),
        ("tasks/1/actions/advance", 422, "/data"),
    ],
)
def test_an_action_that_cannot_be_is_refused(
    shared: Client, path: str, status: int, place: str
) -> None:
    answer = shared.ask("POST", path)
    assert answer.status_code == status, answer.text
    assert [at for _, at in errors(answer)] == [place]


def test_a_prospect_goes_through_a_sequence(client: Client) -> None:
    sequence = client.make("sequence", name="Warm")
    for order in (1, 2):
        values = {"order": order, "stepType": "call", "interval": 1440}
        client.make("sequenceStep", {"sequence": sequence}, **values)
    state = client.make("sequenceState", {"prospect": 1, "sequence": sequence})
    act = f"sequenceStates/{state}/actions"
    assert client.get(f"sequenceStates/{state}")["data"]["attributes"]["state"] == "active"
    [task] = client.get("tasks?filter[sequenceState][id]=1")["data"]
    paused = client.ask("POST", f"{act}/pause").json()["data"]["attributes"]
    assert (paused["state"], paused["pauseReason"]) == ("paused", "manual")
    assert client.ask("POST", f"{act}/pause").status_code == 422
    assert client.ask("POST", f"{act}/resume").json()["data"]["attributes"]["state"] == "active"
    done = f"tasks/{task['id']}/actions/markComplete"
    assert client.ask("POST", done).status_code == 200
    [_, second] = client.get("tasks?sort=id")["data"]
    finish = f"tasks/{second['id']}/actions/markComplete"
    client.ask("POST", f"{finish}?actionParams[completionAction]=finish_no_reply")
    assert client.get(f"sequenceStates/{state}")["data"]["attributes"]["state"] == "finished"
    assert client.ask("POST", f"{act}/finish").status_code == 422


# -- bulk upserts -------------------------------------------------------------------------------


def _upsert(client: Client, method: str, records: list[Any]) -> dict[str, Any]:
    """What became of a bulk upsert, polled until it is finished."""
    attributes = {"dupeMethod": method, "records": records, "fileName": "x.json"}
    document = {"data": {"type": "import", "attributes": attributes}}
    answer = client.ask("POST", "imports/actions/bulkUpsert", document)
    assert answer.status_code == 200, answer.text
    number = answer.json()["data"]["id"]
    for _ in range(3000):
        found: dict[str, Any] = client.get(f"imports/{number}")["data"]["attributes"]
        if found["state"] == "finished":
            return found
        time.sleep(0.01)
    raise AssertionError(found)


def _record(record: int | None, **values: Any) -> dict[str, Any]:
    found = {"type": "prospect", "attributes": values}
    return found if record is None else found | {"id": record}


@pytest.mark.parametrize(
    ("method", "title", "first", "made", "counts"),
    [
        ("overwrite", "T", "Bo", 2, (1, 1)),
        ("overwriteNoCreate", "T", "Bo", 0, (1, 3)),
        ("skip", None, "Al", 2, (1, 1)),
        ("missing", "T", "Al", 2, (1, 1)),
    ],
)
def test_a_bulk_upsert_treats_what_is_there_as_it_is_told(
    client: Client,
    method: str,
    title: str | None,
    first: str,
    made: int,
    counts: tuple[int, int],
) -> None:
    records = [
        _record(1, firstName="Bo", title="T"),
        _record(None, firstName="New"),
        {"data": _record(None, firstName="Newer", emails=["n@example.com"])},
        _record(None, emails=["al@example.com"]),
    ]
    found = _upsert(client, method, records)
    assert (found["dupes"], found["failures"], found["total"]) == (*counts, 4)
    assert "taken" in found["errorReason"] or method == "overwriteNoCreate"
    kept = client.get("prospects/1")["data"]["attributes"]
    assert (kept["title"], kept["firstName"]) == (title, first)
    assert client.get("prospects")["meta"]["count"] == 1 + made


@pytest.mark.parametrize(
    "attributes",
    [
        None,
        {"records": []},
        {"records": [{}], "dupeMethod": "guess"},
        {"records": [{}], "fileName": 5},
        {"records": [{}], "more": 1},
    ],
)
def test_a_bulk_upsert_without_sense_is_refused(shared: Client, attributes: Any) -> None:
    document = {"data": {"attributes": attributes}}
    answer = shared.ask("POST", "imports/actions/bulkUpsert", document)
    assert answer.status_code == 422
    assert shared.get("imports")["data"] == []


# -- labels and the feed ------------------------------------------------------------------------


def test_types_tell_the_labels_that_an_administrator_gave(client: Client, org: Path) -> None:
    here = open_org(Side.OUTREACH, org)
    here.label_field("prospect", "custom7", "Favourite tea")
    here.close()
    found = {each["type"]: each["meta"]["validations"] for each in client.get("types")["data"]}
    assert sorted(found) == ["account", "opportunity", "prospect"]
    assert found["prospect"]["custom7"] == {
        "type": "string",
        "required": False,
        "label": "Favourite tea",
        "definition": None,
    }
    assert len(found["prospect"]) == 150


def test_the_feed_tells_what_happened(client: Client, org: Path) -> None:
    _play(
        org,
        """
        send "Hello" to al@example.com
        wait 1 hour
        open "Hello" of al@example.com
        call al@example.com for 5 minutes
        book "Demo" with al@example.com at 2030-01-01T10:00:00Z
        """,
    )
    found = client.get("events?sort=eventAt&filter[prospect][id]=1")["data"]
    names = [each["attributes"]["name"] for each in found]
    assert names == [
        "prospect_created",
        "outbound_message",
        "message_opened",
        "outbound_call",
        "meeting_booked",
    ]
    sent = found[1]
    assert sent["attributes"]["payload"] == {"subject": "Hello"}
    assert sent["relationships"]["mailing"]["data"] == {"type": "mailing", "id": 1}
    assert client.get(f"events/{sent['id']}")["data"] == sent
    only = client.get("events?filter[name]=message_opened")["data"]
    assert [each["id"] for each in only] == [found[2]["id"]]
    assert client.get("meetings/1")["data"]["attributes"]["state"] == "booked"


def test_a_place_in_a_sequence_needs_both_its_ends(shared: Client) -> None:
    answer = shared.ask("POST", "sequenceStates", {"data": {"type": "sequenceState"}})
    assert answer.status_code == 422
    places = [f"/data/relationships/{name}" for name in ("prospect", "sequence")]
    assert [at for _, at in errors(answer)] == places
