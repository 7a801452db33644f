"""`crosswalk test`, from outside: what it runs, what it prints, how it ends."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.program import crosswalk

RULES = """\
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create when Email is present
    fields { LastName -> lastName  Email -> emails }
}

test "in with an address" {
    given  Lead { Email: "rose@edge.com"  LastName: "Gonzalez" }
    expect prospect { emails: "rose@edge.com"  lastName: "Gonzalez" }
}

test "out without & <quoted>" {
    given  Lead { LastName: "Boxer" }
    expect prospect { lastName: "Boxer" }
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "leads.sync").write_text(RULES, encoding="utf-8")
    return tmp_path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert crosswalk(tmp_path, "init", "acme").code == 0
    return tmp_path / "acme"


def test_a_new_project_passes_its_tests(project: Path) -> None:
    # All of them are run in `tests/engine/test_rule_tests.py`.
    answer = crosswalk(project, "test", "-k", "account")
    assert answer.code == 0, answer
    assert answer.out.endswith(" passed\n")
    assert not (project / "crosswalk.db").exists()


def test_a_failure_is_shown_with_its_line_the_difference_and_the_rule_behind_it(
    folder: Path,
) -> None:
    answer = crosswalk(folder, "test", "leads.sync")
    assert answer.code == 1
    assert answer.out == (
        'leads.sync:15:5: error[test]: "out without & <quoted>": there is no prospect\n'
        "   |\n"
        '15 |     expect prospect { lastName: "Boxer" }\n'
        "   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "   ...\n"
        " 4 |     inbound create when Email is present\n"
        "   |     ------------------------------------ kept the Lead back: not `Email is present`\n"
        '  - prospect { lastName: "Boxer" }\n'
        "  + no prospect\n"
        "\n"
        "1 passed, 1 failed\n"
    )


def test_json_is_in_the_documented_shape(folder: Path) -> None:
    answer = crosswalk(folder, "test", ".", "--format", "json")
    assert answer.code == 1
    document = answer.json
    assert (document["version"], document["passed"], document["failed"]) == (1, 1, 1)
    passed, failed = document["tests"]
    assert passed["name"] == "in with an address"
    assert (passed["file"], passed["line"]) == ("leads.sync", 8)
    assert (passed["outcome"], passed["failures"]) == ("passed", [])
    assert failed["outcome"] == "failed"
    (failure,) = failed["failures"]
    assert (failure["line"], failure["message"]) == (15, "there is no prospect")
    assert failure["diff"] == ['- prospect { lastName: "Boxer" }', "+ no prospect"]
    assert "coverage" not in document


def test_junit_xml_is_read_by_any_parser(folder: Path) -> None:
    answer = crosswalk(folder, "test", "leads.sync", "--format", "junit")
    assert answer.code == 1
    root = ET.fromstring(answer.out)  # noqa: S314 - our own output
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert list(cases) == ["in with an address", "out without & <quoted>"]
    failure = cases["out without & <quoted>"].find("failure")
    assert failure is not None
    assert failure.get("message") == "there is no prospect"
    assert "leads.sync:15" in (failure.text or "")


def test_a_control_character_in_a_name_leaves_the_xml_readable(folder: Path) -> None:
    text = RULES.replace("in with an address", r"in \u{1} out")
    (folder / "leads.sync").write_text(text, encoding="utf-8")
    ET.fromstring(crosswalk(folder, "test", "leads.sync", "--format", "junit").out)  # noqa: S314


def test_coverage_is_told_in_text_and_in_json(folder: Path) -> None:
    text = crosswalk(folder, "test", "leads.sync", "--coverage", "-k", "WITH AN").out
    assert text == (
        "coverage: 1 of 1 toggles used, 0 of 1 terms of conditions both true and false\n"
        "  leads.sync:4: `Email is present` was never false\n"
        "1 passed\n"
    )
    answer = crosswalk(folder, "test", "leads.sync", "--coverage", "--format", "json")
    assert answer.json["coverage"] == {
        "toggles": [
            {
                "sync": "Lead<->prospect",
                "toggle": "inbound create",
                "file": "leads.sync",
                "line": 4,
                "used": True,
            }
        ],
        "terms": [
            {
                "sync": "Lead<->prospect",
                "in": "inbound create",
                "text": "Email is present",
                "file": "leads.sync",
                "line": 4,
                "true": True,
                "false": True,
            }
        ],
    }


def test_a_file_of_the_project_is_tested_with_all_of_its_rules(project: Path) -> None:
    # Alone the file would have an error: its stage map is in another one.
    answer = crosswalk(project, "test", "rules/leads.sync", "--format", "json")
    assert answer.code == 0
    assert {test["file"] for test in answer.json["tests"]} == {"rules/leads.sync"}


def test_paths_outside_the_project_are_rules_of_their_own(project: Path) -> None:
    other = project / "trial" / "leads.sync"
    other.parent.mkdir()
    other.write_text(RULES, encoding="utf-8")
    answer = crosswalk(project, "test", "trial", "--format", "json")
    assert (answer.json["passed"], answer.json["failed"]) == (1, 1)


def test_rules_with_errors_are_shown_and_no_test_runs(folder: Path) -> None:
    (folder / "leads.sync").write_text(RULES.replace("emails:", "emial:"), encoding="utf-8")
    for form in ("text", "json", "junit"):
        answer = crosswalk(folder, "test", "leads.sync", "--format", form)
        assert answer.code == 1
        assert "CW202" in answer.err
    document = crosswalk(folder, "test", "leads.sync", "--format", "json").json
    assert (document["tests"], document["diagnostics"][0]["code"]) == ([], "CW202")
    junit = crosswalk(folder, "test", "leads.sync", "--format", "junit").out
    assert ET.fromstring(junit).find(".//error") is not None  # noqa: S314


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "there is no project here"),
        (["nothing.sync"], "there is no file `nothing.sync`"),
        (["leads.sync", "-k", "zebra"], "no test has `zebra` in its name"),
    ],
)
def test_wrong_usage_is_told_with_exit_code_2(folder: Path, words: list[str], told: str) -> None:
    answer = crosswalk(folder, "test", *words)
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err


def test_rules_without_tests_are_no_failure(folder: Path) -> None:
    (folder / "leads.sync").write_text(RULES.partition("test")[0], encoding="utf-8")
    answer = crosswalk(folder, "test", "leads.sync")
    assert (answer.code, answer.out) == (0, "there are no tests in these rules\n")
