"""`status`, `log` and `links` tell what a ledger holds, to people and to programs."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text
from sqlalchemy.dialects import sqlite

from dsl.schema import Side
from dsl.values import stamp
from engine.cli.main import main
from engine.ledger import Commit, Intent, Ledger, Link, LogRow, Pending
from engine.ledger.logbook import log_rows
from engine.ledger.looking import Filters
from engine.ledger.retention import drop_old_log
from engine.model import Cursor

LEAD, CONTACT = "Lead<->prospect", "Contact<->prospect"
ANNA, BOB, CARL = "00Q000000000001AAA", "00Q000000000002AAB", "003000000000003AAC"
NOW = datetime.now(UTC)
COLUMNS = [
    "timestamp",
    "status",
    "message",
    "internal_type",
    "internal_id",
    "external_type",
    "external_id",
]

TOML = """\
[project]
name = "Acme"
[salesforce]
store = "local"
path = "salesforce.db"
[outreach]
store = "local"
path = "outreach.db"
"""

Ask = Callable[..., Any]


def ago(**length: float) -> str:
    return stamp(NOW - timedelta(**length))


def write(pair: str, action: str, salesforce: str | None, outreach: int | None) -> Intent:
    return Intent(
        pair,
        1,
        action,
        "inbound",
        salesforce,
        outreach,
        b"[]",
        f"inbound {action}: condition holds",
        "rules/leads.sync:14",
    )


WHYS = ("reference", "transient", "refused", "review", "paused", "budget")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Not that of the import: filters ask the real clock, and a suite may take a while to get here.
    monkeypatch.setattr(sys.modules[__name__], "NOW", datetime.now(UTC))
    (tmp_path / "crosswalk.toml").write_text(TOML, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ledger(project: Path) -> Iterator[Ledger]:
    with closing(Ledger(project / "crosswalk.db")) as ledger:
        yield ledger


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """An old run, and a newer one with a refusal, a write cut off and records that wait."""
    ledger.begin("r-old", ago(days=40), "d")
    ledger.commit("r-old", ago(days=40), "d", Commit(logs=[LogRow("completed poll", "0 records")]))
    ledger.finish("r-old", ago(days=40), "done", {"created": 0}, {"salesforce": 1, "outreach": 0})

    ledger.begin("r-new", ago(hours=2), "d")
    (stage,) = ledger.intend("r-new", ago(hours=2), [write("stage", "create", None, None)])
    one, two, three = ledger.intend(
        "r-new",
        ago(minutes=90),
        [
            write(LEAD, "create", ANNA, None),
            write(LEAD, "update", BOB, 8),
            write(CONTACT, "create", CARL, None),
        ],
    )
    commit = Commit(
        links=[
            (LEAD, Link(ANNA, 7, 1, b"[]", b"[]")),
            (LEAD, Link(BOB, 8, 1, b"[]", b"[]")),
            (CONTACT, Link(CARL, 9, 1, b"[]", b"[]")),
        ],
        answers=[
            (stage, "done", None, 5, None),
            (one, "done", ANNA, 7, None),
            (two, "refused", BOB, 8, "validationError: Title is too long"),
        ],
        pending=[
            Pending(LEAD, Side.SALESFORCE, BOB, "refused", message="Title is too long"),
            Pending(LEAD, Side.OUTREACH, 11, "reference", "User<->user", "4", "waits for 4"),
            Pending(LEAD, Side.OUTREACH, 11, "reference", "User<->user", "6", "waits for 6"),
            Pending(CONTACT, Side.SALESFORCE, CARL, "review", message="two prospects match"),
        ],
        logs=[
            LogRow(
                "update refused", "validationError: Title is too long", "prospect", 8, "Lead", BOB
            ),
            LogRow("conflict", "Title: \x1b[31mA\n[bold]B", "prospect", 7, "Lead", ANNA),
        ],
        cursor=(LEAD, Side.SALESFORCE, Cursor(ago(hours=3), ANNA), ago(hours=2)),
    )
    ledger.commit("r-new", ago(hours=1), "d", commit)
    assert three
    counts = {"created": 2, "failed": 1}
    ledger.finish("r-new", ago(minutes=30), "failed", counts, {"salesforce": 3, "outreach": 1200})
    return ledger


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def ask(*words: str) -> Any:
        assert main(words) == 0
        return json.loads(capsys.readouterr().out)

    return ask


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def tell(*words: str) -> str:
        assert main(words) == 0
        return capsys.readouterr().out

    return tell


# -- before the first run -----------------------------------------------------------------------


@pytest.mark.parametrize("command", ["status", "log", "links"])
def test_before_the_first_run(project: Path, tell: Callable[..., str], command: str) -> None:
    assert tell(command) == "nothing has run yet: `crosswalk run`\n"
    assert not (project / "crosswalk.db").exists()


def test_programs_get_an_empty_document_before_the_first_run(project: Path, ask: Ask) -> None:
    assert ask("log", "--format", "json") == {"version": 1, "rows": []}
    assert ask("links", "--format", "json") == {"version": 1, "links": []}
    found = ask("status", "--format", "json")
    assert found == {"version": 1, "runs": [], "waits": [], "pairs": [], "pending": []}
    assert list(project.iterdir()) == [project / "crosswalk.toml"]


@pytest.mark.usefixtures("ledger")
def test_a_ledger_without_a_run_is_told_too(ask: Ask, tell: Callable[..., str]) -> None:
    assert tell("status") == "no run is noted yet\n"
    assert tell("links") == ""
    assert ask("log", "--format", "json") == {"version": 1, "rows": []}


# -- log ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("filled")
class TestLog:
    def test_is_the_union_of_notes_and_writes_newest_first(self, ask: Ask) -> None:
        found = ask("log", "--format", "json")
        assert found["version"] == 1
        assert [list(row) for row in found["rows"]] == [[*COLUMNS, "row"]] * len(found["rows"])
        assert [row["status"] for row in found["rows"]] == [
            "conflict",
            "create under way",
            "update refused",
            "created",
            "created",
        ]
        stamps = [row["timestamp"] for row in found["rows"]]
        assert stamps == sorted(stamps, reverse=True)

    def test_a_refusal_is_one_row_with_its_reason_and_its_error(self, ask: Ask) -> None:
        (row,) = ask("log", "--format", "json", "--status", "refused")["rows"]
        assert row.pop("row").startswith(ago(minutes=90))
        assert row == {
            "timestamp": ago(minutes=90),
            "status": "update refused",
            "message": "inbound update: condition holds; validationError: Title is too long",
            "internal_type": "prospect",
            "internal_id": 8,
            "external_type": "Lead",
            "external_id": BOB,
        }

    def test_a_refusal_without_a_write_is_kept(self, filled: Ledger, ask: Ask) -> None:
        row = LogRow("create refused", "out of seats", "user", None, "User", None)
        filled.commit("r-new", stamp(NOW), "d", Commit(logs=[row]))
        found = ask("log", "--format", "json", "--status", "create refused")["rows"]
        assert [r["message"] for r in found] == ["out of seats"]

    def test_a_stage_has_no_record_in_salesforce(self, ask: Ask) -> None:
        (row,) = ask("log", "--format", "json", "--type", "stage")["rows"]
        assert (row["internal_type"], row["internal_id"]) == ("stage", 5)
        assert (row["external_type"], row["external_id"]) == (None, None)

    @pytest.mark.parametrize(
        ("filters", "count"),
        [
            (["--type", "Lead"], 3),
            (["--type", "prospect"], 4),
            (["--type", "lead"], 0),
            (["--id", ANNA], 2),
            (["--id", ANNA[:15]], 2),
            (["--id", "7"], 2),
            (["--id", "' OR 1=1 --"], 0),
            (["--status", "created"], 2),
            (["--status", "%"], 0),
            (["--status", "conflict", "--type", "Contact"], 0),
            (["--run", "r-old"], 0),
            (["--run", "r-old", "--since", "6w"], 1),
            (["--run", "last"], 5),
            (["--since", "89m"], 1),
            (["--since", "8w"], 6),
            (["--since", "89 minutes ago"], 1),
            (["--until", "89m"], 4),
            (["--until", "2000-01-01"], 0),
            (["--since", "2000-01-01T00:00"], 6),
            (["--search", "title IS too"], 1),
            (["--search", "%"], 0),
            (["--since", "999999999w"], 6),
            (["--limit", "2"], 2),
        ],
    )
    def test_filters(self, filled: Ledger, ask: Ask, filters: list[str], count: int) -> None:
        def counted(*more: str) -> int:
            return len(ask("log", "--format", "json", *more, *filters)["rows"])

        assert counted() == counted("--limit", str(max(count, 1))) == count
        filled.finish("r-new", stamp(NOW), "done", {}, {})  # its rows are among the words now
        assert counted() == counted("--limit", str(max(count, 1))) == count

    def test_the_words_of_the_log_are_let_go_with_its_rows(self, filled: Ledger, ask: Ask) -> None:
        for run in ("r-1", "r-2"):
            filled.commit(run, ago(days=31), "d", Commit(logs=[LogRow("held", f"word {run}")]))
            filled.finish("r-new", stamp(NOW), "done", {}, {})
            assert drop_old_log(filled, NOW, 30) > 0
        filled.commit("r-3", stamp(NOW), "d", Commit(logs=[LogRow("held", "word of today")]))
        filled.finish("r-new", stamp(NOW), "done", {}, {})
        found = ask("log", "--format", "json", "--search", "WORD", "--since", "60d")["rows"]
        assert [row["message"] for row in found] == ["word of today"]
        with closing(sqlite3.connect(filled.path)) as connection:
            for words in ("log_words", "change_words"):  # raises where it differs from the rows
                connection.execute(
                    f"INSERT INTO {words}({words}, rank) VALUES ('integrity-check', 1)"
                )

    def test_pages_follow_one_another_without_a_gap_or_a_row_twice(
        self, filled: Ledger, ask: Ask
    ) -> None:
        logs = [LogRow("held", f"same time {n}", "prospect", n) for n in range(5)]
        filled.commit("r-new", ago(minutes=90), "d", Commit(logs=logs))
        whole = ask("log", "--format", "json")["rows"]
        paged: list[Any] = []
        while page := ask(
            "log",
            *("--format", "json", "--limit", "3"),
            *(("--after", paged[-1]["row"]) if paged else ()),
        )["rows"]:
            paged += page
        assert paged == whole

    def test_a_page_is_read_by_its_index(self, filled: Ledger) -> None:
        for filters in (Filters(limit=9), Filters(limit=9, after=(ago(hours=1), 1, 5))):
            query = log_rows(filters).compile(dialect=sqlite.dialect())
            values = [query.params[name] for name in query.positiontup or ()]
            with closing(sqlite3.connect(filled.path)) as connection:
                steps = connection.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
            told = " ".join(step[3] for step in steps)
            assert "log_timestamp" in told
            assert "change_at" in told
            assert "change_refused" in told

    @pytest.mark.parametrize(
        ("filters", "index"),
        [
            (Filters(limit=9, search="nowhere"), "VIRTUAL TABLE"),
            (Filters(limit=9, status="held", type="Lead"), "VIRTUAL TABLE"),
            (Filters(limit=9, id="17"), "log_internal_id"),
        ],
    )
    def test_no_filter_reads_a_whole_table(
        self, filled: Ledger, filters: Filters, index: str
    ) -> None:
        query = log_rows(filters).compile(dialect=sqlite.dialect())
        values = [query.params[name] for name in query.positiontup or ()]
        with closing(sqlite3.connect(filled.path)) as connection:
            steps = connection.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
        told = [step[3] for step in steps]
        assert any(index in step for step in told)
        assert {"SCAN log", "SCAN change"}.isdisjoint(told)
        assert not any("log_timestamp" in step or "change_at" in step for step in told)

    def test_a_message_is_no_formula_in_a_spreadsheet(
        self, filled: Ledger, tell: Callable[..., str]
    ) -> None:
        logs = [LogRow("held", '=HYPERLINK("x")\n, "y"', "prospect", 1), LogRow("held", "-1")]
        filled.commit("r-new", stamp(NOW), "d", Commit(logs=logs))
        rows = csv.DictReader(io.StringIO(tell("log", "--format", "csv", "--status", "held")))
        assert [row["message"] for row in rows] == ["'-1", '\'=HYPERLINK("x")\n, "y"']

    def test_old_rows_are_dropped_in_batches_and_writes_stay(self, filled: Ledger) -> None:
        logs = [LogRow("held", str(n)) for n in range(7)]
        filled.commit("r-old", ago(days=31), "d", Commit(logs=logs))
        before = len(list(filled.rows(log_rows(Filters()))))
        assert drop_old_log(filled, NOW, 30, batch=3) == 8
        assert len(list(filled.rows(log_rows(Filters())))) == before - 8
        assert drop_old_log(filled, NOW, 30) == 0

    def test_csv_has_the_same_rows(self, ask: Ask, tell: Callable[..., str]) -> None:
        rows = list(csv.DictReader(io.StringIO(tell("log", "--format", "csv"))))
        wanted = ask("log", "--format", "json")["rows"]
        assert rows == [{k: "" if r[k] is None else str(r[k]) for k in COLUMNS} for r in wanted]

    def test_text_keeps_a_row_on_its_line_and_the_terminal_safe(
        self, tell: Callable[..., str]
    ) -> None:
        head, *lines = tell("log").splitlines()
        assert head.split() == ["TIME", "STATUS", "SALESFORCE", "OUTREACH", "MESSAGE"]
        assert len(lines) == 5
        assert len({line.index("inbound ") for line in lines[1:]}) == 1
        assert "Title: �[31mA [bold]B" in lines[0]

    @pytest.mark.parametrize(
        "words", [["--since", "soon"], ["--since=-1d"], ["--limit", "0"], ["--limit", "x"]]
    )
    def test_wrong_options_are_told(
        self, words: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as stopped:
            main(["log", *words])
        assert stopped.value.code == 2
        assert f"`{words[-1].removeprefix('--since=')}` is no" in capsys.readouterr().err


# -- links --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("filled")
class TestLinks:
    def test_json(self, ask: Ask) -> None:
        found = ask("links", "--format", "json")
        assert found["version"] == 1
        assert found["links"][1] == {
            "salesforce": {"type": "Lead", "id": ANNA},
            "outreach": {"type": "prospect", "id": 7},
            "linked_at": ago(hours=1),
        }
        assert [link["outreach"]["id"] for link in found["links"]] == [9, 7, 8]

    @pytest.mark.parametrize(
        ("filters", "ids"),
        [
            (["--type", "Lead"], [7, 8]),
            (["--type", "prospect"], [9, 7, 8]),
            (["--type", "account"], []),
            (["--id", BOB], [8]),
            (["--id", BOB[:15]], [8]),
            (["--id", "9"], [9]),
            (["--limit", "1"], [9]),
        ],
    )
    def test_filters(self, ask: Ask, filters: list[str], ids: list[int]) -> None:
        links = ask("links", "--format", "json", *filters)["links"]
        assert [link["outreach"]["id"] for link in links] == ids

    def test_text_and_csv(self, tell: Callable[..., str]) -> None:
        assert tell("links", "--type", "Contact").splitlines() == [
            "SALESFORCE  ID                  OUTREACH  ID  LINKED AT",
            f"Contact     {CARL}  prospect   9  {ago(hours=1)}",
        ]
        assert tell("links", "--id", "9", "--format", "csv").splitlines() == [
            "salesforce_type,salesforce_id,outreach_type,outreach_id,linked_at",
            f"Contact,{CARL},prospect,9,{ago(hours=1)}",
        ]

    def test_many_links_come_as_they_are_read(self, filled: Ledger, ask: Ask) -> None:
        links = [(LEAD, Link(f"00Q{n:015}", 100 + n, 1, b"[]", b"[]")) for n in range(2500)]
        filled.commit("r-new", ago(hours=1), "d", Commit(links=links))
        assert len(ask("links", "--format", "json")["links"]) == 2503

    @pytest.mark.parametrize("command", ["links", "log", "status"])
    def test_a_reader_that_goes_away_is_no_error(
        self, filled: Ledger, project: Path, command: str
    ) -> None:
        waits = [
            Pending(LEAD, Side.OUTREACH, n, "reference", "User<->user", "4", "waits for 4")
            for n in range(3000)
        ]
        links = [(LEAD, Link(f"00Q{n:015}", 100 + n, 1, b"[]", b"[]")) for n in range(3000)]
        logs = [LogRow("held", "two prospects match", "prospect", n) for n in range(3000)]
        commit = Commit(links=links, pending=waits, logs=logs)
        filled.commit("r-new", ago(hours=1), "d", commit)
        words = [sys.executable, "-m", "engine.cli.main", command, "--format", "json"]
        with subprocess.Popen(
            [*words, "--limit", "9999"],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as asked:
            assert asked.stdout
            assert asked.stderr
            asked.stdout.readline()
            asked.stdout.close()
            assert asked.stderr.read() == b""


# -- status -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("filled")
class TestStatus:
    @pytest.mark.parametrize("width", [100, 70, 30])
    def test_at_a_terminal_no_word_is_cut_however_narrow_it_is(
        self, tell: Callable[..., str], monkeypatch: pytest.MonkeyPatch, width: int
    ) -> None:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm")
        lines = Text.from_ansi(tell("status")).plain.splitlines()
        table = lines[lines.index("") :]
        assert max(map(len, table)) <= width
        words = {word for line in table for word in line.split()}
        assert {"prospect", "hours", "another", BOB} <= words
        assert ("record:" in words) is (width == 30)  # a block a row, where columns have no room

    def test_json(self, ask: Ask) -> None:
        found = ask("status", "--format", "json")
        assert found["version"] == 1
        (run,) = found["runs"]
        assert (run["run"], run["status"]) == ("r-new", "failed")
        assert (run["counts"], run["calls"]["outreach"]) == ({"created": 2, "failed": 1}, 1200)
        assert found["pairs"] == [
            {
                "type": CONTACT,
                "links": 1,
                "cursors": {"salesforce": None, "outreach": None},
                "pending": dict.fromkeys(WHYS, 0) | {"reference": 0, "refused": 0, "review": 1},
            },
            {
                "type": LEAD,
                "links": 2,
                "cursors": {"salesforce": ago(hours=3), "outreach": None},
                "pending": dict.fromkeys(WHYS, 0) | {"reference": 1, "refused": 1, "review": 0},
            },
        ]
        assert found["pending"][1] == {
            "type": LEAD,
            "record": {"side": "outreach", "type": "prospect", "id": 11},
            "why": "reference",
            "message": "waits for 4",
            "needs": {"type": "User<->user", "id": 4},
            "since": ago(hours=1),
        }

    def test_text(self, tell: Callable[..., str]) -> None:
        text = tell("status")
        assert text.splitlines()[:3] == [
            f"last run r-new, {ago(minutes=30)}: failed",
            "  2 created, 1 refused",
            "  calls: Salesforce 3, Outreach 1,200",
        ]
        assert "1 for another record, 1 refused" in text
        # What a person has to see to comes first.
        waiting = text[text.index("WAITING             RECORD") :].splitlines()[1:]
        assert [line.split("  ")[0] for line in waiting] == [
            "for review",
            "refused",
            "for another record",
            "for another record",
        ]

    def test_records_that_wait_for_the_same_are_told_together(
        self, filled: Ledger, tell: Callable[..., str], ask: Ask
    ) -> None:
        waits = [
            Pending(LEAD, Side.OUTREACH, n, "reference", "User<->user", "4", "waits for 4")
            for n in range(100, 1100)
        ]
        filled.commit("r-new", stamp(NOW), "d", Commit(pending=waits))
        text = tell("status")
        assert "1,001 of prospect" in text
        assert len(text.splitlines()) < 20
        assert len(ask("status", "--format", "json")["pending"]) == 20
        assert len(ask("status", "--format", "json", "--limit", "5000")["pending"]) == 1004

    def test_csv(self, tell: Callable[..., str]) -> None:
        rows = list(csv.DictReader(io.StringIO(tell("status", "--format", "csv"))))
        assert [(row["type"], row["links"], row["review"]) for row in rows] == [
            (CONTACT, "1", "1"),
            (LEAD, "2", "0"),
        ]

    def test_a_run_that_was_cut_off(self, filled: Ledger, tell: Callable[..., str]) -> None:
        filled.begin("r-cut", stamp(NOW), "d")
        assert tell("status").startswith(f"run r-cut of {stamp(NOW)}: still at work, or cut off\n")


def test_a_file_that_is_no_ledger_is_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "crosswalk.db").write_text("no database, only text, but long enough to be one " * 40)
    assert main(["status"]) == 2
    assert "is not a ledger of crosswalk" in capsys.readouterr().err
