"""What goes wrong at the Salesforce sandbox when it is asked to, and that seeds repeat it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from tests.sandbox.salesforce import Sandbox, sandbox

LEAD = {"LastName": "Ng", "Company": "Acme"}
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


class Clock:
    """Stands still until it is moved on."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def now(self) -> datetime:
        return self.moment


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    path = tmp_path_factory.mktemp("faults") / "org.db"
    with sandbox(path, clock=Clock(), late=timedelta(seconds=5), slow=0.05) as made:
        yield made


@pytest.fixture
def box(served: Sandbox) -> Iterator[Sandbox]:
    served.ask("GET", "/limits")
    yield served
    served.suffers()
    served.http.headers.pop("Authorization", None)


def count(box: Sandbox, company: str) -> int:
    """How many leads the org itself has."""
    with box.org() as org:
        return len(org.find("Lead", [], ["Company"], [(company,)]))


@pytest.mark.parametrize(("kind", "done"), [("before", 0), ("after", 1), ("reset", 1)])
def test_a_connection_breaks_before_or_after_all_is_done(
    box: Sandbox, kind: str, done: int
) -> None:
    box.suffers(**{kind: 1})
    with pytest.raises(BROKEN):
        box.ask("POST", "/sobjects/Lead", json={**LEAD, "Company": kind})
    assert count(box, kind) == done


def test_half_an_answer_is_told_by_http_or_only_by_its_json(box: Sandbox) -> None:
    box.suffers(truncated=1)
    seen = set()
    for _ in range(20):
        try:
            box.ask("GET", "/limits").json()
        except requests.JSONDecodeError:
            seen.add("json")
        except BROKEN:
            seen.add("http")
    assert seen == {"json", "http"}


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("401", 401, "INVALID_SESSION_ID"),
        ("429", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("500", 500, "UNKNOWN_EXCEPTION"),
        ("503", 503, "SERVER_UNAVAILABLE"),
    ],
)
def test_a_refusal_comes_before_anything_is_done(
    box: Sandbox, kind: str, status: int, code: str
) -> None:
    box.suffers(**{f"_{kind}": 1})
    answer = box.ask("POST", "/sobjects/Lead", json={**LEAD, "Company": f"s{kind}"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, code)
    assert count(box, f"s{kind}") == 0
    box.suffers()
    # Only a session that has expired stays so.
    assert box.ask("GET", "/limits").status_code == (401 if kind == "401" else 200)


def test_rows_are_locked_one_by_one(box: Sandbox) -> None:
    box.suffers(lock=0.5)
    records = [{"attributes": {"type": "Lead"}, **LEAD, "Company": "Lock"} for _ in range(40)]
    results = box.post("/composite/sobjects", {"records": records})
    codes = {each["errors"][0]["statusCode"] for each in results if not each["success"]}
    assert codes == {"UNABLE_TO_LOCK_ROW"}
    assert 0 < count(box, "Lock") == sum(each["success"] for each in results)


def test_half_of_a_collection_is_refused_for_the_moment(box: Sandbox) -> None:
    box.suffers(half=1)
    records = [{"attributes": {"type": "Lead"}, **LEAD} for _ in range(4)]
    results = box.post("/composite/sobjects", {"records": records})
    assert [each["success"] for each in results] == [True, False, True, False]
    assert results[1]["errors"][0]["statusCode"] == "SERVER_UNAVAILABLE"


def test_a_row_that_is_late_is_as_it_was_for_queries_and_keeps_its_stamp(box: Sandbox) -> None:
    old = box.post("/sobjects/Lead", {**LEAD, "Company": "Late", "Title": "before"})["id"]
    box.suffers(late=1)
    new = box.post("/sobjects/Lead", {**LEAD, "Company": "Late"})["id"]
    box.ask("PATCH", f"/sobjects/Lead/{old}", json={"Title": "after"})
    stamp = box.get(f"/sobjects/Lead/{new}")["SystemModstamp"]
    text = "SELECT Id, Title, SystemModstamp FROM Lead WHERE Company = 'Late' ORDER BY Title"

    def rows() -> list[tuple[str, str]]:
        return [(row["Id"], row["Title"]) for row in box.get("/query", q=text)["records"]]

    assert rows() == [(old, "before")]
    box.clock.moment += timedelta(seconds=6)
    assert rows() == [(new, None), (old, "after")]
    assert box.get("/query", q=text)["records"][0]["SystemModstamp"] == stamp


def test_a_slow_answer_comes_all_the_same(box: Sandbox) -> None:
    box.suffers(slow=1)
    answer = box.ask("GET", "/limits")
    assert answer.status_code == 200
    assert answer.elapsed >= timedelta(seconds=0.05)


def test_the_same_seed_makes_the_same_things_go_wrong(tmp_path: Path) -> None:
    def luck(name: str, seed: int) -> list[int]:
        with sandbox(tmp_path / name, seed=seed) as box:
            box.ask("GET", "/limits")
            box.suffers(_500=0.3, _503=0.3)
            return [box.ask("GET", "/limits").status_code for _ in range(20)]

    first = luck("a", 7)
    assert {200, 500, 503} == set(first)
    assert luck("b", 7) == first
    assert luck("c", 8) != first
