"""The store that speaks Outreach's API answers as the org itself does, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from dsl.paths import SEQUENCE_FIELDS
from dsl.schema import Kind, Side, shipped_schema
from engine.model import Cursor, Outcome, Row, Write
from engine.ports import Checkable, Metered, Need, Store, StoreError, Sweeping
from engine.sandbox.identity import OutreachIdentity
from engine.stores.local import load
from engine.stores.outreach import lists
from tests.stores.outreach import Connected, connected

DATA = Path(__file__).parents[1] / "data" / "outreach"
TYPES = sorted(shipped_schema().names(Side.OUTREACH))
PEOPLE = [
    {"firstName": f"Ada{n}", "emails": [f"Ada{n}@x.co", f"home{n}@x.co"], "custom3": f"Key {n}"}
    for n in range(30)
]


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    with connected(tmp_path_factory.mktemp("outreach")) as found:
        load(found.org, DATA)
        yield found


@pytest.fixture(scope="module")
def people(at: Connected) -> list[int]:
    done = at.store.write("prospect", [Write(None, dict(each)) for each in PEOPLE])
    assert {each.outcome for each in done} == {Outcome.DONE}
    return [int(each.id or 0) for each in done]


def scanned(store: Any, type_name: str, fields: Sequence[str], since: Any = None) -> list[Row]:
    pages = list(store.scan(type_name, fields, since))
    assert [page.done for page in pages] == [False] * (len(pages) - 1) + [True]
    return [row for page in pages for row in page.rows]


def plain(rows: Sequence[Row]) -> dict[Any, Row]:
    """Rows by id, an empty list as nothing: a relationship to nobody may be either."""
    return {row[0]: tuple(None if value == [] else value for value in row) for row in rows}


def test_it_offers_what_a_store_may_offer_besides(at: Connected) -> None:
    store: Store = at.store
    assert store.side is Side.OUTREACH
    assert isinstance(at.store, Metered)
    assert isinstance(at.store, Checkable)
    assert isinstance(at.store, Sweeping)


@pytest.mark.parametrize("type_name", [t for t in TYPES if t != "event"])
def test_every_type_is_read_whole(at: Connected, type_name: str) -> None:
    described = at.store.describe(type_name)
    assert described is not None
    fields = [n for n, f in described.fields.items() if not f.many]
    for name, field in described.fields.items():
        if field.kind is Kind.REFERENCE and field.vendor_type == "relationship":
            known = [t for t in field.references if shipped_schema().get(Side.OUTREACH, t)]
            if len(known) == len(field.references) == 1:
                fields.append(f"{name}.updatedAt")
    here, there = (scanned(each, type_name, fields) for each in (at.org, at.store))
    assert plain(there) == plain(here)


def test_what_a_prospect_reads_of_its_sequence(at: Connected, people: list[int]) -> None:
    org = at.org
    sequence = org.create("sequence", {"name": "Welcome"})
    step = org.create("sequenceStep", {"sequence": sequence, "order": 2, "stepType": "task"})
    for prospect, state in zip(people, ("active", "failed", "finished"), strict=False):
        made = org.create("sequenceState", {"prospect": prospect, "sequence": sequence})
        org.file.db.execute(
            "UPDATE sequenceState SET state = ?, sequenceStep = ? WHERE id = ?", (state, step, made)
        )
    fields = [f"sequence.{word}" for word in (*SEQUENCE_FIELDS, "user")]
    wanted = plain(org.fetch("prospect", fields, people))
    assert plain(at.store.fetch("prospect", fields, people)) == wanted
    assert "Welcome" in wanted[people[0]]
    # A prospect is read again when its place in a sequence changed, and it itself did not.
    since = Cursor(org.now(), 0)
    org.file.db.execute(
        "UPDATE sequenceState SET state = 'active', updatedAt = ?1, _stamp = ?1", (since.stamp,)
    )
    assert {row[0] for row in scanned(at.store, "prospect", fields, since)} >= set(people[:3])
    assert not set(people[:3]) & {row[0] for row in scanned(at.store, "prospect", [], since)}


@pytest.mark.parametrize(
    ("key", "values"),
    [
        (["emails"], [("ADA3@x.co",), ("home7@X.co",), ("nobody@x.co",)]),
        (["firstName"], [("ada4",), ("  ADA5 ",), ("a, b",)]),
        (["custom3"], [("key 8",), ("none",)]),
        (["custom3", "firstName"], [("KEY 9", "ada9"), ("key 10", "ada9")]),
        (["id"], [(2,), (99_999,)]),
        (["owner"], [(1,)]),
        (["emails", "firstName"], [(None, "ada1")]),
    ],
)
def test_records_are_found_as_in_the_org(
    at: Connected, people: list[int], key: list[str], values: list[tuple[Any, ...]]
) -> None:
    found = plain(at.store.find("prospect", ["title"], key, values))
    assert plain(at.org.find("prospect", ["title"], key, values)).items() <= found.items()
    assert len(found) < len(people)


def test_names_with_commas_and_dots_are_found(at: Connected) -> None:
    names = ["Edge, Inc.", "A..B", "Müller & Co, KG", "Weiß Straßenbau", "Kress"]
    ids = [at.org.create("account", {"name": name}) for name in names]
    assert [row[0] for name in names for row in at.store.find("account", [], ["name"], [(name,)])]
    found = at.store.find("account", ["name"], ["name"], [(name.casefold(),) for name in names])
    assert sorted(row[0] for row in found) == sorted(ids)


def test_what_can_be_found_only_by_reading_all_is_found_anew(at: Connected) -> None:
    assert not at.store.find("prospect", [], ["externalId"], [("later",)])
    made = at.org.create("prospect", {"externalId": "Later"})
    assert [row[0] for row in at.store.find("prospect", [], ["externalId"], [("later",)])] == [made]


def test_refusals_are_the_vendors_own(at: Connected, people: list[int]) -> None:
    first, second, third = people[:3]
    writes = [
        Write(None, {"emails": ["ada1@x.co"]}),
        Write(first, {"name": "Nobody"}),
        Write(second, {"stage": 4711}),
        Write(third, {"title": "Countess"}),
        Write(10_000_000, {"title": "Nobody"}),
        Write(10_000_000, delete=True),
        Write(third, {"emails": "none"}),
    ]
    done = at.store.write("prospect", writes)
    assert [each.outcome for each in done] == [
        Outcome.REFUSED,
        Outcome.REFUSED,
        Outcome.REFUSED,
        Outcome.DONE,
        Outcome.GONE,
        Outcome.GONE,
        Outcome.REFUSED,
    ]
    assert (done[0].code, done[1].fields, done[2].fields) == (
        "validationError",
        ("name",),
        ("stage",),
    )
    assert "taken" in done[0].message
    assert at.org.fetch("prospect", ["title"], [third])[0][2] == "Countess"


def test_references_are_written_and_taken_away(at: Connected, people: list[int]) -> None:
    stage = at.org.create("stage", {"name": "Nearly there"})
    for value, name in ((stage, "Nearly there"), (None, None)):
        (done,) = at.store.write("prospect", [Write(people[5], {"stage": value})])
        assert done.outcome is Outcome.DONE
        fields = ["stage", "stage.name"]
        assert at.store.fetch("prospect", fields, [people[5]])[0][2:] == (value, name)


def test_a_relationship_to_many_is_written_whole_and_read_in_line(
    at: Connected, people: list[int]
) -> None:
    ids = [
        at.org.create("user", {"firstName": n, "lastName": "Lee", "email": f"{n}@many.co"})
        for n in ("ann", "bob")
    ]
    for wanted in (ids, ids[1:], []):
        (done,) = at.store.write("prospect", [Write(people[0], {"assignedUsers": wanted})])
        assert done.outcome is Outcome.DONE
        ((_, _, found),) = at.store.fetch("prospect", ["assignedUsers"], [people[0]])
        assert (found or []) == wanted
    (wrong,) = at.store.write("prospect", [Write(people[0], {"assignedUsers": [1 << 40]})])
    assert wrong.outcome is Outcome.REFUSED


def test_a_scan_goes_on_while_records_are_written_and_share_stamps(
    at: Connected, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "_PAGE", 4)
    at.org.file.db.execute(
        "UPDATE prospect SET _stamp = '2026-01-01T00:00:00.000Z' WHERE id IN (?,?,?,?,?,?,?,?,?)",
        people[:9],
    )
    seen: dict[Any, Any] = {}
    for number, page in enumerate(at.store.scan("prospect", ["title"], None)):
        seen |= {row[0]: row[2] for row in page.rows}
        assert page.rows == sorted(page.rows, key=lambda row: (row[1], row[0]))
        if number < 3:
            at.org.edit("prospect", people[number], {"title": f"T{number}"})
            at.org.edit("prospect", people[20 + number], {"title": f"L{number}"})
            at.org.create("prospect", {"title": "new"})
        else:
            last = page.last
    assert seen == {r: v[2] for r, v in plain(scanned(at.org, "prospect", ["title"])).items()}
    # A scan that is cut off goes on from any page's cursor, the records of its stamp once more.
    assert {row[0] for row in scanned(at.store, "prospect", [], last)} <= seen.keys()
    cut = next(iter(at.store.scan("prospect", [], Cursor("2026-01-01T00:00:00.000Z", 0)))).last
    assert {row[0] for row in scanned(at.store, "prospect", [], cut)} >= set(people[3:9])


def test_deleted_records_have_a_fate_and_others_none(at: Connected) -> None:
    ids = [at.org.create("prospect", {"lastName": f"n{n}"}) for n in range(4)]
    at.org.delete("prospect", ids[0])
    assert at.store.write("prospect", [Write(ids[1], delete=True)])[0].outcome is Outcome.DONE
    assert at.store.fates("prospect", ids) == {ids[0]: None, ids[1]: None}
    assert {row[0] for row in at.store.fetch("prospect", [], ids)} == set(ids[2:])


def test_unknown_names_are_told_with_the_nearest(at: Connected) -> None:
    with pytest.raises(StoreError, match="did you mean `firstName`"):
        at.store.fetch("prospect", ["firstNam"], [1])
    with pytest.raises(StoreError, match="did you mean prospect"):
        at.store.fetch("prospects", [], [1])
    with pytest.raises(StoreError, match="no relationship `stag`"):
        list(at.store.scan("prospect", ["stag.name"], None))
    assert at.store.describe("nothing") is None


def test_calls_and_the_vendors_count_are_told(at: Connected) -> None:
    before = at.store.calls
    at.store.fetch("prospect", [], [1])
    assert at.store.calls == before + 1
    usage = at.store.usage()
    assert (usage.period, usage.max) == ("hour", 10_000)
    assert 0 < usage.used <= usage.max


def test_checkups_tell_which_scopes_are_missing(tmp_path: Any) -> None:
    identity = OutreachIdentity(scopes=("prospects.read", "users.all"))
    need = Need("prospect", frozenset({"emails"}), frozenset({"emails"}), True, True, True)
    with connected(tmp_path, identity=identity) as at:
        found = list(at.store.checkups([need, need._replace(type="persona")]))
    wrong = {each.what: each.advice for each in found if not each.right}
    assert set(wrong) == {"prospects: write", "prospects: delete", "Outreach has personas"}
    assert "prospects.write" in wrong["prospects: write"]
    assert [each.what for each in found if each.right and "prospects" in each.what]


def test_a_custom_field_bears_the_label_that_the_org_gives_it(tmp_path: Path) -> None:
    with connected(tmp_path) as at:
        at.org.label_field("prospect", "custom7", "Lead rating")
        described = at.store.describe("prospect")
        assert described is not None
        assert described.fields["custom7"].label == "Lead rating"
        assert described.fields["custom8"].label == "Custom 8"


def test_a_task_is_completed_by_its_action(at: Connected) -> None:
    owner = at.org.create("user", {"firstName": "A", "lastName": "B", "email": "a@b.co"})
    task = at.org.create("task", {"owner": owner, "note": "call"})
    (done,) = at.store.write("task", [Write(task, {"completed": True})])
    assert done.outcome is Outcome.DONE, done
    assert at.store.fetch("task", ["completed"], [task])[0][2] is True
