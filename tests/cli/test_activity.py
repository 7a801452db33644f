"""`activity` and `log` on the sample org: what was synced, and how the rules changed, in words."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main

LEAD = "00Q3z00001AmqLYEAZ"

Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that ran three times: as it came, with other rules, and with a conflict."""
    folder = tmp_path_factory.mktemp("activity") / "acme"
    assert main(["init", "--sample", str(folder)]) == 0
    here = ["--project", str(folder)]
    main([*here, "run"])
    _replace(folder / "rules/leads.sync", "every 10 minutes", "every 15 minutes")
    _replace(folder / "rules/leads.sync", "create when Email is", "create when LastName is")
    _replace(folder / "rules/leads.sync", "        City                 -> addressCity\n", "")
    (folder / "rules/stages.sync").rename(folder / "rules/maps.sync")
    _replace(folder / "templates/activity_titles/text_sent.j2", "[Text] [Out]", "[SMS]")
    main([*here, "run"])
    main([*here, "local", "edit", "salesforce", "Lead", LEAD, "Title=CFO"])
    with closing(sqlite3.connect(folder / "crosswalk.db")) as ledger:
        query = "SELECT outreach_id FROM link WHERE salesforce_id = ?"
        ((prospect,),) = ledger.execute(query, (LEAD,)).fetchall()
    main([*here, "local", "edit", "outreach", "prospect", str(prospect), "title=CEO"])
    main([*here, "run"])
    return folder


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def ask(synced: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    def ask(*words: str) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert main(["--project", str(synced), *words, "--format", "json"]) == 0
        rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["rows"]
        return rows

    return ask


def test_what_was_synced_is_told_per_run_and_type(ask: Ask) -> None:
    rows = ask("activity", "--synced", "--type", "Lead")
    assert rows[-1]["message"] == "2 prospects updated in Outreach, 20 created"
    assert rows[-1]["counts"] == {"updated": 2, "created": 20}
    assert rows[0]["message"] == "1 lead updated in Salesforce; 1 conflict"
    assert {row["type"] for row in rows} == {"Lead <-> prospect"}


def test_changed_rules_are_told_with_the_run_that_first_went_by_them(ask: Ask) -> None:
    rows = ask("activity", "--rules", "--limit", "4")
    assert [row["message"] for row in rows] == [
        "Lead <-> prospect: `polling every 10 minutes` -> `polling every 15 minutes`",
        (
            "`inbound create` of Lead <-> prospect: condition changed from `Email is present` to"
            " `LastName is present`"
        ),
        ("title text_sent: `[Outreach] [Text] [Out] {{ body }}` -> `[Outreach] [SMS] {{ body }}`"),
        "`City -> addressCity` removed from Lead <-> prospect",
    ]
    assert rows[1]["before"] == "inbound create when Email is present"
    assert rows[1]["after"] == "inbound create when LastName is present"
    assert rows[1]["rule"] == "rules/leads.sync:7"
    assert len({row["run"] for row in rows}) == 1
    assert ask("log", "--run", rows[0]["run"])


def test_the_first_rules_are_told_item_by_item(ask: Ask) -> None:
    first = ask("activity", "--rules")[4:]
    assert "`stages lead_status` added" in [row["message"] for row in first]
    assert all(row["before"] is None for row in first)


def test_rows_are_newest_first_and_both_kinds_together(ask: Ask) -> None:
    rows = ask("activity")
    assert {row["kind"] for row in rows} == {"synced", "rules"}
    stamps = [row["timestamp"] for row in rows]
    assert stamps == sorted(stamps, reverse=True)
    assert ask("activity", "--since", "2 days ago") == rows
    assert ask("activity", "--since", "2999-01-01") == []


def test_rules_that_an_older_version_ran_are_not_guessed(synced: Path, ask: Ask) -> None:
    with closing(sqlite3.connect(synced / "crosswalk.db")) as ledger:
        kept = ledger.execute("SELECT * FROM rules").fetchall()
        ledger.execute("DELETE FROM rules WHERE digest = (SELECT rules_digest FROM run LIMIT 1)")
        ledger.commit()
        try:
            (row, *_) = ask("activity", "--rules")
        finally:
            ledger.executemany("INSERT OR IGNORE INTO rules VALUES (?, ?)", kept)
            ledger.commit()
    assert row["message"] == "the rules changed; what they said before is not kept"


def test_each_poll_is_logged_with_where_it_began(ask: Ask) -> None:
    polls = ask("log", "--status", "completed poll", "--type", "Lead")
    assert polls[-1]["message"] == "22 records read, from the beginning"
    assert "read, changed since 2" in polls[0]["message"]


def test_a_run_drops_what_is_older_than_log_days(synced: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(synced, folder)
    _replace(folder / "crosswalk.toml", "log_days = 30 ", "log_days = 7 ")
    with closing(sqlite3.connect(folder / "crosswalk.db")) as ledger:
        for days in (8, 6):
            ledger.execute(
                "INSERT INTO log (timestamp, run, status, message) VALUES"
                f" (strftime('%Y-%m-%dT%H:%M:%S.000Z', 'now', '-{days} days'), 'r', 'x', '{days}')"
            )
        ledger.commit()
        assert main(["--project", str(folder), "run"]) == 0
        left = ledger.execute("SELECT message FROM log WHERE status = 'x'").fetchall()
    assert left == [("6",)]
