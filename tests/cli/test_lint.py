"""`crosswalk lint` as a user runs it: what it remembers, mends, explains, and asks the orgs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.program import Answer, crosswalk, environment

GROUP = "fields names { FirstName <-> firstName }\n"
SYNC = """\
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound update
    fields { use names }
}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    folder = tmp_path / "acme"
    assert crosswalk(tmp_path, "init", "acme").code == 0
    for file in (folder / "rules").glob("*.sync"):
        file.unlink()
    (folder / "rules" / "a.sync").write_text(SYNC)
    (folder / "rules" / "b.sync").write_text(GROUP)
    return folder


def found(answer: Answer) -> list[tuple[str, str, int]]:
    return [(d["code"], d["file"], d["line"]) for d in answer.json["diagnostics"]]


# -- which files --------------------------------------------------------------------------------


def test_a_file_of_the_project_is_checked_with_the_others_that_it_uses(project: Path) -> None:
    assert crosswalk(project, "lint", "rules/a.sync").out == "checked 1 file, 1 sync: no findings\n"


def test_only_what_is_wrong_in_the_named_file_is_told(project: Path) -> None:
    (project / "rules" / "b.sync").write_text(
        GROUP + "fields x { Nope <-> nope }\nfields names { }"
    )
    answer = crosswalk(project, "lint", "rules/a.sync", "--format", "json")
    assert (answer.code, found(answer)) == (0, [])
    assert crosswalk(project, "lint").code == 1


def test_a_file_is_told_by_the_name_it_was_given(project: Path) -> None:
    (project / "rules" / "a.sync").write_text(SYNC.replace("emails", "emial"))
    answer = crosswalk(project / "rules", "--project", "..", "lint", "a.sync", "--format", "json")
    assert found(answer) == [("CW202", "a.sync", 2)]


# -- what is remembered -------------------------------------------------------------------------


def entries(project: Path) -> list[Path]:
    return sorted((project.parent / "cache" / "crosswalk" / "lint").glob("*"))


def test_a_second_answer_is_the_first_one_and_is_not_checked_anew(project: Path) -> None:
    (project / "rules" / "a.sync").write_text(SYNC.replace("emails", "emial"))
    first = crosswalk(project, "lint")
    (entry,) = entries(project)
    assert crosswalk(project, "lint") == first
    # To see that the second is a memory: another one answers otherwise.
    entry.write_text(entry.read_text().replace("emial", "EMIAL"))
    assert "EMIAL" in crosswalk(project, "lint").out
    assert "EMIAL" not in crosswalk(project, "lint", "--no-cache").out


CHANGES = {
    "a rule file": lambda p: (p / "rules" / "b.sync").write_text("fields other { }\n"),
    "a new rule file": lambda p: (p / "rules" / "c.sync").write_text("fields names { }\n"),
    "a rule file that is gone": lambda p: (p / "rules" / "b.sync").unlink(),
    "the configuration": lambda p: (p / "crosswalk.toml").write_text("[project]\nnaem = 'x'\n"),
    "no configuration": lambda p: (p / "crosswalk.toml").unlink(),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_seen(project: Path, what: str) -> None:
    assert crosswalk(project, "lint").code == 0
    assert len(entries(project)) == 1
    CHANGES[what](project)
    assert crosswalk(project, "lint").code != 0


def test_a_title_template_that_comes_is_seen(project: Path) -> None:
    titled = SYNC.replace(
        "{ use names }", "{ use names }\n activities { call logged title from my }"
    )
    (project / "rules" / "a.sync").write_text(titled)
    assert crosswalk(project, "lint").code == 1
    (project / "templates" / "activity_titles").mkdir(parents=True, exist_ok=True)
    (project / "templates" / "activity_titles" / "my.j2").write_text("{{ purpose }}")
    assert crosswalk(project, "lint").code == 0


def test_a_memory_that_cannot_be_read_is_no_harm(project: Path) -> None:
    first = crosswalk(project, "lint")
    (entry,) = entries(project)
    for wrong in (b"", b"\xff\xfe", b"x\n\n", entry.read_bytes()[:50]):
        entry.write_bytes(wrong)
        assert crosswalk(project, "lint") == first


def test_without_a_place_to_remember_it_checks_all_the_same(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(project / "crosswalk.toml"))
    assert crosswalk(project, "lint").code == 0


def test_colour_is_not_remembered_for_those_who_want_none(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "rules" / "a.sync").write_text(SYNC.replace("emails", "emial"))
    monkeypatch.setitem(os.environ, "FORCE_COLOR", "1")
    assert "\033[" in crosswalk(project, "lint").out
    monkeypatch.delitem(os.environ, "FORCE_COLOR")
    assert "\033[" not in crosswalk(project, "lint").out
    assert "FORCE_COLOR" not in environment()


# -- what is mended -----------------------------------------------------------------------------


def test_fix_mends_what_can_only_be_meant_in_one_way(project: Path) -> None:
    file = project / "rules" / "a.sync"
    wrong = SYNC.replace("Lead", "lead").replace("emails", "Emails").replace("names", "Names")
    file.write_bytes(b"\xef\xbb\xbf" + wrong.replace("\n", "\r\n").encode())
    answer = crosswalk(project, "lint", "--fix")
    assert (answer.code, answer.err) == (0, "3 findings mended\n")
    assert file.read_bytes() == b"\xef\xbb\xbf" + SYNC.replace("\n", "\r\n").encode()


def test_fix_leaves_what_is_only_a_guess(project: Path) -> None:
    file = project / "rules" / "a.sync"
    file.write_text(SYNC.replace("emails", "emial"))
    assert crosswalk(project, "lint", "--fix").code == 1
    assert "emial" in file.read_text()


def test_fix_removes_suppressions_that_silence_nothing(project: Path) -> None:
    file = project / "rules" / "b.sync"
    file.write_text("# kept\n# lint: allow CW402 long ago\n" + GROUP)
    assert crosswalk(project, "lint", "--fix", "--strict").code == 0
    assert file.read_text() == "# kept\n" + GROUP


def test_what_fix_could_mend_is_marked(project: Path) -> None:
    (project / "rules" / "a.sync").write_text(SYNC.replace("emails", "Emails"))
    (only,) = crosswalk(project, "lint", "--format", "json").json["diagnostics"]
    assert (only["code"], only["suggestion"], only["fixable"]) == ("CW202", "emails", True)
    assert crosswalk(project, "lint").out.endswith("1 error in 1 file; `--fix` mends 1 of them\n")


def test_standard_input_cannot_be_mended(project: Path) -> None:
    assert crosswalk(project, "lint", "--fix", "-", stdin=SYNC).code == 2


# -- what is explained --------------------------------------------------------------------------


def test_a_code_is_explained(project: Path) -> None:
    answer = crosswalk(project, "lint", "--explain", "CW202")
    assert answer.code == 0
    for words in ("# CW202 unknown-field", "## Why", "## Bad", "FristName", "## To silence it"):
        assert words in answer.out


def test_a_code_that_does_not_exist_is_wrong_usage(project: Path) -> None:
    answer = crosswalk(project, "lint", "--explain", "CW9")
    assert answer.code == 2
    assert "there is no code `CW9`" in answer.err


# -- for other programs -------------------------------------------------------------------------


def test_sarif_names_the_rule_the_place_and_the_fix(project: Path) -> None:
    (project / "rules" / "a.sync").write_text(SYNC.replace("emails", "emial"))
    (project / "rules" / "b.sync").write_text(GROUP * 2)
    answer = crosswalk(project, "lint", "--format", "sarif")
    document = json.loads(answer.out)
    assert (answer.code, document["version"]) == (1, "2.1.0")
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert [rule["id"] for rule in rules] == ["CW103", "CW202"]
    field, twice = run["results"]
    assert rules[field["ruleIndex"]]["id"] == field["ruleId"] == "CW202"
    place = field["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "rules/a.sync"},
        "region": {"startLine": 2, "startColumn": 19, "endLine": 2, "endColumn": 24},
    }
    assert "relatedLocations" not in field
    assert twice["relatedLocations"][0]["message"] == {"text": "first here"}


# -- the connected orgs -------------------------------------------------------------------------


def test_live_knows_which_custom_fields_there_are(project: Path) -> None:
    (project / "rules" / "b.sync").write_text("fields names { Nobody_Has_It__c <-> firstName }\n")
    assert crosswalk(project, "lint").code == 0
    answer = crosswalk(project, "lint", "--live", "--format", "json")
    assert (answer.code, found(answer)) == (1, [("CW202", "rules/b.sync", 1)])


def test_live_needs_a_project(tmp_path: Path) -> None:
    (tmp_path / "a.sync").write_text(GROUP)
    answer = crosswalk(tmp_path, "lint", "--live", "a.sync")
    assert answer.code == 2
    assert "there is no project here" in answer.err
