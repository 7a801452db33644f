"""Editing rule files in an editor: findings come and go as one types, saves, opens and leaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lsp.conftest import LEADS, SHARED
from tests.lsp.editor import Editor, applied

Start = Callable[..., Editor]


def test_a_mistake_is_seen_fixed_and_formatted(start: Start, project: Path) -> None:
    editor = start(project)
    leads = editor.uri("rules/leads.sync")
    editor.open(leads, LEADS)
    editor.edit(leads, (1, 10), (1, 15), "Emial")
    (found,) = editor.wait_for(leads, "CW202")
    assert found["message"] == "`Lead` has no field `Emial`\nhelp: did you mean `Email`?"
    assert found["range"]["start"] == {"line": 1, "character": 10}
    assert found["range"]["end"] == {"line": 1, "character": 15}
    assert found["severity"] == 1
    assert found["source"] == "crosswalk"

    text = LEADS.replace("match Email", "match Emial")
    actions = editor.of("codeAction", leads, range=found["range"], context={"diagnostics": [found]})
    fix = next(action for action in actions if action["isPreferred"])
    assert fix["kind"] == "quickfix"
    text = applied(text, fix["edit"]["changes"][leads])
    assert text == LEADS
    editor.replace(leads, text.replace("    match", "  match"))
    editor.wait_for(leads)

    edits = editor.of("formatting", leads, options={"tabSize": 2, "insertSpaces": True})
    assert applied(text.replace("    match", "  match"), edits) == LEADS
    assert len(edits) == 1
    assert editor.leave() == 0


def test_edits_are_checked_as_they_add_up(start: Start, project: Path) -> None:
    editor = start(project)
    leads = editor.uri("rules/leads.sync")
    editor.open(leads, LEADS)
    for column, letter in enumerate("xyz"):
        editor.edit(leads, (1, 15 + column), (1, 15 + column), letter)
    while not any("`Emailxyz`" in found["message"] for found in editor.findings.get(leads, [])):
        editor.wait()
    for _ in range(3):
        editor.edit(leads, (1, 15), (1, 16), "")
    editor.wait_for(leads)


def test_findings_are_told_of_files_that_are_not_open(start: Start, project: Path) -> None:
    (project / "rules" / "shared.sync").write_text(SHARED.replace("Title ", "Tittle"))
    editor = start(project)
    editor.wait_for(editor.uri("rules/shared.sync"), "CW202")


def test_a_finding_across_files_names_the_other_place(start: Start, project: Path) -> None:
    editor = start(project)
    leads, shared = editor.uri("rules/leads.sync"), editor.uri("rules/shared.sync")
    editor.open(shared, SHARED + '\nstages lead_status { "a" -> "b" }\n')
    (found,) = editor.wait_for(shared, "CW103")
    (related,) = found["relatedInformation"]
    assert related["location"]["uri"] == shared
    assert related["location"]["range"]["start"] == {"line": 0, "character": 7}

    editor.open(leads, f"{LEADS}\nfields engagement {{ }}\n")
    editor.wait_for(shared, "CW103", "CW103")
    (other,) = [d for d in editor.errors(shared) if "engagement" in d["message"]]
    assert other["relatedInformation"][0]["location"]["uri"] == leads


def test_an_open_file_counts_as_it_is_in_the_editor(start: Start, project: Path) -> None:
    editor = start(project)
    leads, shared = editor.uri("rules/leads.sync"), editor.uri("rules/shared.sync")
    editor.open(shared, SHARED.replace("stages lead_status", "stages other"))
    editor.wait_for(leads, "CW207")
    editor.close(shared)
    editor.wait_for(leads)


def test_a_change_on_disk_is_seen(start: Start, project: Path) -> None:
    watching = {"didChangeWatchedFiles": {"dynamicRegistration": True}}
    editor = start(project, workspace=watching)
    leads = editor.uri("rules/leads.sync")
    editor.open(leads, LEADS.replace("Rating", "Ratting"))
    editor.wait_for(leads, "CW202")
    assert editor.requested == ["client/registerCapability"]
    (project / "rules" / "shared.sync").unlink()
    editor.tell("workspace/didChangeWatchedFiles", {"changes": []})
    editor.wait_for(leads, "CW202", "CW207", "CW207", "CW207")


def test_a_file_outside_any_project_is_checked_by_itself(start: Start, tmp_path: Path) -> None:
    editor = start(tmp_path)
    alone, other = editor.uri("alone.sync"), editor.uri("other.sync")
    editor.open(alone, LEADS.replace("Rating", "Ratting"))
    editor.open(other, SHARED + "sync Lead <-> person { }")
    editor.wait_for(alone, "CW202", "CW207", "CW207", "CW207")
    editor.wait_for(other, "CW201")
    editor.close(alone)
    editor.wait_for(alone)


def test_a_file_that_was_never_saved_is_checked_by_itself(scratch: Editor) -> None:
    scratch.open("untitled:Untitled-1", "sync Lead <-> prospect { match Emial = emails }")
    scratch.wait_for("untitled:Untitled-1", "CW202")


def test_a_broken_configuration_is_told_once_and_the_rules_are_checked(
    start: Start, project: Path
) -> None:
    (project / "crosswalk.toml").write_text("[project]\nnmae = 1\n")
    editor = start(project)
    leads = editor.uri("rules/leads.sync")
    editor.open(leads, LEADS.replace("Rating", "Ratting"))
    editor.wait_for(leads, "CW202")
    editor.replace(leads, LEADS)
    editor.wait_for(leads)
    (message,) = editor.messages
    assert "unknown key `nmae`" in message


def test_a_file_that_is_not_utf_8_is_found_out(start: Start, project: Path) -> None:
    (project / "rules" / "latin.sync").write_bytes(b"# caf\xe9\n")
    editor = start(project)
    editor.wait_for(editor.uri("rules/latin.sync"), "CW101")


def test_formatting_leaves_a_file_with_errors_and_says_so_once(start: Start, project: Path) -> None:
    editor = start(project)
    leads = editor.uri("rules/leads.sync")
    editor.open(leads, LEADS.replace("via lead_status", "vai lead_status"))
    for _ in range(2):
        assert editor.of("formatting", leads, options={"tabSize": 4, "insertSpaces": True}) is None
    editor.wait_for(leads, "CW101")
    assert editor.messages == ["not formatted: there is a syntax error on line 11"]


def test_a_finding_can_be_silenced_by_a_comment_before_it(start: Start, project: Path) -> None:
    editor = start(project)
    leads = editor.uri("rules/leads.sync")
    editor.open(leads, LEADS.replace("via lead_status", "via lead_statuses"))
    (found,) = editor.wait_for(leads, "CW207")
    actions = editor.of("codeAction", leads, range=found["range"], context={"diagnostics": []})
    (allow,) = [action for action in actions if action["title"].startswith("allow CW207")]
    (edit,) = allow["edit"]["changes"][leads]
    assert edit["newText"] == "        # lint: allow CW207 \n"
    assert edit["range"]["start"] == edit["range"]["end"] == {"line": 10, "character": 0}


def test_no_action_is_offered_where_there_is_no_finding(start: Start, project: Path) -> None:
    editor = start(project)
    leads = editor.uri("rules/leads.sync")
    editor.open(leads, LEADS.replace("match Email", "match Emial"))
    editor.wait_for(leads, "CW202")
    elsewhere = {"start": {"line": 5, "character": 0}, "end": {"line": 6, "character": 0}}
    assert editor.of("codeAction", leads, range=elsewhere, context={"diagnostics": []}) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-32", None])
def test_columns_count_as_editor_and_server_agreed(
    start: Start, project: Path, encoding: str | None
) -> None:
    general = {"general": {"positionEncodings": [encoding]}} if encoding else {}
    editor = start(project, **general)
    assert editor.capabilities["positionEncoding"] == (encoding or "utf-16")
    uri = editor.uri("rules/smile.sync")
    text = 'values smile {\n    "\U0001f600" <-> "a"   "\u00e9" <-> bad\n}\n'
    editor.open(uri, text)
    found = editor.wait_for(uri, "CW101")[0]
    where = found["range"]["start"]
    character = text.splitlines()[1].index("bad")
    shift = {"utf-8": 4, "utf-32": 0}.get(encoding or "", 1)
    assert where == {"line": 1, "character": character + shift}
    editor.edit(uri, (1, where["character"]), (1, where["character"] + 3), '"b"')
    editor.wait_for(uri)


@pytest.mark.parametrize(
    "text",
    [
        "\x00\x01{{{{((((",
        '"\\u{110000} \ud83d',
        "sync " * 3000,
        "sync Lead <-> prospect { inbound create when " + "not " * 500,
        "a\rb\r\nc\u2028d\x0b} fields {",
        "}" * 5000,
    ],
    ids=["noise", "half a character", "long", "deep", "line ends", "braces"],
)
def test_no_text_ends_the_server(scratch: Editor, text: str) -> None:
    uri = "untitled:hostile"
    scratch.open(uri, text)
    for method in ("hover", "completion", "definition"):
        for place in ((0, 0), (0, 5), (0, 10**6), (10**6, 0)):
            scratch.at(method, uri, place)
    for method in ("documentSymbol", "foldingRange"):
        scratch.of(method, uri)
    scratch.edit(uri, (0, 2), (0, 3), "\U0001f600")
    scratch.edit(uri, (0, 10**6), (10**6, 0), "")
    scratch.replace(uri, "sync Lead <-> prospect { match Emial = emails }")
    while "CW202" not in {found["code"] for found in scratch.findings.get(uri, [])}:
        scratch.wait()


def test_what_cannot_be_understood_is_answered_with_an_error(scratch: Editor) -> None:
    from tests.lsp.editor import Refused

    with pytest.raises(Refused):
        scratch.ask("textDocument/nonsense", {})
    scratch.tell("nonsense/altogether", {"a": [1]})
    scratch.open("untitled:after", "synk")
    scratch.wait_for("untitled:after", "CW101")


def test_the_server_ends_with_its_editor(start: Start, project: Path) -> None:
    assert start(project).leave() == 0
    assert start(project).vanish() == 1


def test_a_project_can_be_named_on_the_command_line(start: Start, project: Path) -> None:
    (project / "rules" / "shared.sync").write_text(SHARED.replace("Title ", "Tittle"))
    editor = start(None, "--project", str(project))
    editor.wait_for((project / "rules" / "shared.sync").as_uri(), "CW202")


def test_the_projects_own_title_templates_are_checked_as_they_are_on_disk(
    start: Start, project: Path
) -> None:
    title = project / "templates" / "activity_titles" / "weekly.j2"
    title.write_text("[Mail] ü {{ subjct }}\n", encoding="utf-8")
    editor = start(project)
    leads = editor.uri("rules/leads.sync")
    editor.open(leads, LEADS)
    uri = editor.uri("templates/activity_titles/weekly.j2")
    (found,) = editor.wait_for(uri, "CW208")
    assert "has no variable `subjct`" in found["message"]
    assert found["range"]["start"] == {"line": 0, "character": 12}
    (place,) = found["relatedInformation"]
    assert place["location"]["uri"] == editor.uri("rules/shared.sync")
    title.write_text("[Mail] {{ subject }}\n", encoding="utf-8")
    editor.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 2}]})
    editor.wait_for(uri)
    assert editor.leave() == 0
