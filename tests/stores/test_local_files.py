"""Loading, dumping and the file of a local org."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from dsl.schema import Side
from engine.ports import StoreError
from engine.stores.local import SAMPLE, dump, load, open_org
from tests.stores.orgs import MEMORY, O, S, org_of, rows, write

DATA = Path(__file__).parents[1] / "data" / "outreach"


def read(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_the_sample_org_comes_back_as_it_was_loaded(tmp_path: Path) -> None:
    org, _ = org_of(S)
    counts = load(org, SAMPLE / "salesforce")
    assert counts["Lead"] == 22
    written = dump(org, tmp_path)
    assert written == {name: count for name, count in counts.items() if count}
    assert not (tmp_path / "OpportunityContactRole.json").exists()
    for name in written:
        for was, now in zip(
            read(SAMPLE / "salesforce" / f"{name}.json"),
            read(tmp_path / f"{name}.json"),
            strict=True,
        ):
            kept = was
            if was["Id"] is None:  # no source has these ids: they are minted
                ours = ("attributes", "Id", "ParentRoleId", "_ParentRoleDeveloperName")
                kept = {k: v for k, v in was.items() if k not in ours}
            assert {k: now[k] for k in kept} == kept
    again, _ = org_of(S)
    load(again, tmp_path)
    dump(again, tmp_path / "again")
    for name in written:
        file = f"{name}.json"
        assert (tmp_path / "again" / file).read_bytes() == (tmp_path / file).read_bytes()
    again.close()
    org.close()


def test_a_role_finds_its_parent_and_loading_twice_doubles_nothing() -> None:
    org, _ = org_of(S)
    for _ in range(2):
        load(org, SAMPLE / "salesforce")
    names = dict(rows(org, "UserRole", "DeveloperName"))
    assert len(names) == 18
    parents = {row[1]: row[2] for row in rows(org, "UserRole", "Name", "ParentRole.DeveloperName")}
    assert parents["CEO"] is None
    assert parents["CFO"] == "CEO"
    org.close()


def test_outreach_payloads_keep_what_their_schema_does_not_list(tmp_path: Path) -> None:
    org, _ = org_of(O)
    load(org, DATA)
    dump(org, tmp_path)
    for path in DATA.glob("*.json"):
        now = {record["id"]: record for record in read(tmp_path / path.name)}
        last = {record["id"]: record for record in read(path)}
        for was in last.values():
            record = now[was["id"]]
            for part in ("attributes", "relationships"):
                assert {k: record[part][k] for k in was[part]} == was[part]
            assert record.get("links") == was.get("links")
    assert org.create("prospect", {}) == 10
    org.close()


def test_a_loaded_record_replaces_the_one_of_its_id(tmp_path: Path) -> None:
    org, _ = org_of(O)
    write(org, "prospect", emails=["old@x.co"])
    record = {"type": "prospect", "id": "1", "attributes": {"emails": ["new@x.co"], "extra": None}}
    (tmp_path / "prospect.json").write_text(json.dumps([record]))
    assert load(org, tmp_path) == {"prospect": 1}
    assert rows(org, "prospect", "emails") == [(1, ["new@x.co"])]
    assert write(org, "prospect", emails=["old@x.co"]).code == ""
    assert write(org, "prospect", emails=["NEW@x.co"]).code == "validationError"
    org.close()


def test_stamps_come_from_the_file_and_fall_back(tmp_path: Path) -> None:
    org, _ = org_of(S)
    stamps: dict[str, dict[str, Any]] = {
        "001000000000001AAA": {"SystemModstamp": "2023-05-03T12:37:48.000+0200"},
        "001000000000002AAA": {"SystemModstamp": None, "CreatedDate": "2023-05-03T10:37:49Z"},
        "001000000000003AAA": {},
    }
    (tmp_path / "Account.json").write_text(json.dumps([{"Id": i, **s} for i, s in stamps.items()]))
    load(org, tmp_path)
    [page] = org.scan("Account", [], None)
    assert [row[1] for row in page.rows] == [
        "2023-05-03T10:37:48.000Z",
        "2023-05-03T10:37:49.000Z",
        "2026-03-01T12:00:00.000Z",
    ]
    org.close()


def test_a_loaded_deleted_record_is_deleted(tmp_path: Path) -> None:
    org, _ = org_of(S)
    record = {"Id": "001000000000001AAA", "Name": "A", "IsDeleted": True}
    (tmp_path / "Account.json").write_text(json.dumps([record]))
    load(org, tmp_path)
    assert rows(org, "Account") == []
    assert write(org, "Account", record["Id"], Name="B").code == "ENTITY_IS_DELETED"
    assert dump(org, tmp_path / "out") == {}
    org.close()


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("Leads.json", b"[]", "did you mean `Lead.json`"),
        ("Lead.json", b"", "a JSON array is expected"),
        ("Lead.json", b'{"a": 1}', "a JSON array is expected"),
        ("Lead.json", b'[{"LastName": "A"}', "`,` or `]` is expected"),
        ("Lead.json", b'[\n{"LastName": \n}]', "line 3: this is no JSON"),
        ("Lead.json", b"[{}] x", "more text behind"),
        ("Lead.json", b'[{"LastName": "\xff"}]', "not UTF-8"),
        ("Lead.json", b"[1]", "record 1: a record is a JSON object"),
        ("Lead.json", b'[{"Id": "12"}]', "no Salesforce id"),
        ("Lead.json", b'[{"IsConverted": "yes"}]', "no boolean value"),
        ("Lead.json", b'[{"AnnualRevenue": NaN}]', "NaN is no JSON"),
        ("Lead.json", b'[{"AnnualRevenue": 99999999999999999999}]', "more than 64 bits"),
        ("Lead.json", b'[{"LastName": "\\ud800"}]', "surrogate"),
        ("Lead.json", b'[{"CreatedDate": "soon"}]', "no date and time"),
        ("Lead.json", b'[{"attributes": {"type": "Contact"}}]', "of type `Contact`"),
        ("Lead.json", b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_wrong_file_is_named_and_nothing_is_loaded(
    tmp_path: Path, file: str, content: bytes, words: str
) -> None:
    org, _ = org_of(S)
    (tmp_path / "Account.json").write_text('[{"Id": "001000000000001AAA", "Name": "A"}]')
    (tmp_path / file).write_bytes(content)
    with pytest.raises(StoreError) as error:
        load(org, tmp_path)
    assert words in str(error.value)
    assert file in str(error.value)
    assert rows(org, "Account") == []
    assert write(org, "Account", Name="still works").code == ""
    org.close()


def test_a_file_longer_than_a_chunk_is_read_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.stores.local.files._CHUNK", 7)
    org, _ = org_of(O)
    records = [
        {"type": "prospect", "id": i, "attributes": {"title": f"é{i}"}} for i in range(1, 60)
    ]
    (tmp_path / "prospect.json").write_text(json.dumps(records, ensure_ascii=False, indent=1))
    told: list[tuple[str, int, int]] = []
    load(org, tmp_path, lambda *at: told.append(at))
    assert told == [("prospect", 59, 59)]
    assert rows(org, "prospect", "title") == [(i, f"é{i}") for i in range(1, 60)]
    org.close()


def test_a_folder_that_is_not_there_or_empty_is_told(tmp_path: Path) -> None:
    org, _ = org_of(S)
    with pytest.raises(StoreError, match="there is no folder"):
        load(org, tmp_path / "none")
    with pytest.raises(StoreError, match="has no JSON file"):
        load(org, tmp_path)
    org.close()


def test_records_stay_in_their_file(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    org = open_org(S, path)
    record = org.create("Account", {"Name": "A"})
    org.close()
    org = open_org(S, path)
    assert rows(org, "Account", "Name") == [(record, "A")]
    org.close()


@pytest.mark.parametrize("side", list(Side))
def test_a_file_that_is_no_org_of_this_side_is_told(tmp_path: Path, side: Side) -> None:
    path = tmp_path / "org.db"
    path.write_text("this is no database, but it is long enough to be looked at as if it were one")
    with pytest.raises(StoreError, match="not a local org, nor any SQLite file"):
        open_org(side, path)
    path.unlink()
    open_org(side.other, path).close()
    with pytest.raises(StoreError, match=f"is a local {side.other} org"):
        open_org(side, path)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    db.close()
    with pytest.raises(StoreError, match="in format 99"):
        open_org(side.other, path)
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (x)")
    db.close()
    with pytest.raises(StoreError, match="no local org"):
        open_org(side, path)
    with pytest.raises(StoreError, match="cannot be opened"):
        open_org(side, tmp_path / "none" / "org.db")


def test_a_write_that_breaks_off_leaves_nothing() -> None:
    org = open_org(O, MEMORY)

    def break_off() -> None:
        with org.file.transaction():
            org.file.make(org.file.table("prospect"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert rows(org, "prospect") == []
    assert write(org, "prospect", title="x").id == 1
    org.close()
