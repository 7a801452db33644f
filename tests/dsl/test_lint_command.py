"""`crosswalk lint` from outside: what it prints, and how it exits."""

from __future__ import annotations

import argparse
import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from dsl.diagnostics import as_github, as_text
from dsl.files import decode, read_folder, read_paths
from dsl.source import Source
from engine.cli import lint
from tests.dsl.support import findings, lead

BAD = "sync Lead <-> prospect {\n    match Emial = emails\n}\n"
GOOD = "sync Lead <-> prospect {\n    match Email = emails\n}\n"


@dataclass
class FakeProject:
    root: Path
    rules: Path
    templates: frozenset[str] = frozenset()


def run(*arguments: str, project: FakeProject | None = None) -> int:
    parser = argparse.ArgumentParser()
    lint.register(parser)
    return lint.run(parser.parse_args(arguments), project)


def written(folder: Path, text: str, name: str = "a.sync") -> str:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_clean_file_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(written(tmp_path, GOOD)) == 0
    assert capsys.readouterr().out == "checked 1 file, 1 sync: no findings\n"


def test_an_error_is_shown_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(written(tmp_path, BAD)) == 1
    out = capsys.readouterr().out
    assert "a.sync:2:11: error[CW202]: `Lead` has no field `Emial`" in out
    assert "\033" not in out
    assert out.endswith("1 error in 1 file\n")


def test_json_is_one_document_of_the_promised_shape(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, BAD)
    assert run(file, "--format", "json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["version"] == 1
    (only,) = found["diagnostics"]
    assert only["file"] == file
    assert {
        k: only[k] for k in ("code", "severity", "line", "column", "end_line", "end_column")
    } == {
        "code": "CW202",
        "severity": "error",
        "line": 2,
        "column": 11,
        "end_line": 2,
        "end_column": 16,
    }
    assert (only["suggestion"], only["fixable"]) == ("Email", False)


def test_a_clean_json_document_is_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(written(tmp_path, GOOD), "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == {"version": 1, "diagnostics": []}


def test_a_missing_file_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(tmp_path / "none.sync")) == 2
    assert "there is no file" in capsys.readouterr().err


def test_no_project_and_no_path_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    assert "there is no project here" in capsys.readouterr().err


def test_a_project_without_a_rule_file_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(project=FakeProject(tmp_path, tmp_path)) == 2
    assert "there is no rule file" in capsys.readouterr().err


def test_a_projects_rules_are_checked_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rules" / "deep").mkdir(parents=True)
    written(tmp_path / "rules", lead(fields="use g\nuse h"))
    written(tmp_path / "rules" / "deep", "fields g { Title <-> title }", "b.sync")
    monkeypatch.chdir(tmp_path)
    assert run(project=FakeProject(tmp_path, tmp_path / "rules")) == 1
    out = capsys.readouterr().out
    assert "rules/a.sync:4:5: error[CW207]: there is no group of fields named `h`" in out


def test_standard_input_is_a_file_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert run("-") == 1
    assert "<stdin>:2:11" in capsys.readouterr().out


def test_a_file_that_is_not_utf8_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.sync").write_bytes("# caf\xe9\n".encode("latin-1"))
    (tmp_path / "b.sync").write_text(GOOD)
    loaded = read_folder(tmp_path)
    (failed,) = loaded.failed
    assert (failed.code, *failed.span.first) == ("CW101", 1, 1)
    assert failed.help == "save it as UTF-8 in the editor"
    assert len(loaded.sources) == 1


def test_a_name_that_an_unreadable_file_may_define_is_not_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.sync").write_bytes(b"fields g { } # caf\xe9\n")
    written(tmp_path, lead(fields="use g"), "b.sync")
    assert run(str(tmp_path)) == 1
    out = capsys.readouterr().out
    assert "not UTF-8" in out
    assert "CW207" not in out


def test_utf16_is_named() -> None:
    found = decode(GOOD.encode("utf-16"), "a.sync")
    assert not isinstance(found, Source)
    assert "UTF-16" in found.message


def test_a_byte_order_mark_is_dropped_and_line_ends_are_kept() -> None:
    found = decode(b"\xef\xbb\xbfcrosswalk 1\r\n", "a.sync")
    assert isinstance(found, Source)
    assert found.text == "crosswalk 1\r\n"


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    file = Path(written(tmp_path, GOOD))
    assert read_paths([file, tmp_path]).count == 1


# -- how findings read --------------------------------------------------------------------------

SHOWN = {
    "suggestion": lead(fields="Frstname <-> firstName"),
    "tabs": "sync Lead <-> prospect {\n\tmatch\tEmial = emails\n}\n",
    "wide characters": 'stages x { "日本語" <-> "b" oops }\n',
    "two places": "fields x { }\nfields x { }\n",
    "several lines": "sync Lead <-> prospect {\n  DoNotCall\n}\n",
    "a very long line": "fields x { " + "A <-> a " * 60 + " = }\n",
    "control characters": "fields \x1b[31m { }\n",
    "group": lead(fields="use g") + "fields g { A <-> firstName }\n",
    "type mismatch": lead(clauses='inbound update when DoNotCall = "true"'),
    "read-only": lead(fields="Name <- firstName"),
    "an arrow": lead(fields="Title = title"),
    "an unclosed block": "sync Lead <-> prospect {\n    fields {\n        Title <-> title\n}\n",
}


@pytest.mark.parametrize("name", SHOWN)
def test_findings_read_like_this(name: str, snapshot: SnapshotAssertion) -> None:
    assert as_text(findings(SHOWN[name])) == snapshot


def test_colour_only_when_asked() -> None:
    found = findings(SHOWN["suggestion"])
    assert "\033[" in as_text(found, colour=True)
    assert "\033[" not in as_text(found)


def test_github_annotations_are_escaped() -> None:
    shown = as_github(findings(SHOWN["suggestion"]))
    assert shown == (
        "::error file=rules/1.sync,line=3,endLine=3,col=1,endColumn=9,title=CW202::"
        "`Lead` has no field `Frstname` (did you mean `FirstName`?)\n"
    )
