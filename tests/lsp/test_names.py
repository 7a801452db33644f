"""Going to where a name is defined, finding its uses, and renaming it in all files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lsp.conftest import LEADS, SHARED, make_project
from tests.lsp.editor import Editor, Refused, applied, marked

CONTACTS = """\
# \U0001f600
sync Contact <-> prospect {
    fields { Title -> title  via lead_status  use engagement }
}
test "t" { given Lead { } }
"""


class Files:
    """A project's rule files, all open."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self.texts = {"leads": LEADS, "shared": SHARED, "contacts": CONTACTS}
        for name, text in self.texts.items():
            editor.open(self.uri(name), text)

    def uri(self, name: str) -> str:
        return self.editor.uri(f"rules/{name}.sync")

    def ask(self, method: str, name: str, word: str, **more: Any) -> Any:
        _, place = marked(self.texts[name].replace(word, f"|{word}", 1))
        return self.editor.at(method, self.uri(name), place, **more)

    def words(self, locations: list[dict[str, Any]]) -> list[tuple[str, int]]:
        """Files and lines, from 1."""
        return sorted(
            (each["uri"].rpartition("/")[2], each["range"]["start"]["line"] + 1)
            for each in locations
        )


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    project = make_project(tmp_path_factory.mktemp("project"))
    (project / "rules" / "contacts.sync").write_text(CONTACTS)
    found = Editor(project, textDocument={"rename": {"prepareSupport": True}})
    yield found
    found.end()


@pytest.fixture
def files(editor: Editor) -> Files:
    return Files(editor)


def test_a_name_leads_to_its_definition(files: Files) -> None:
    for word, line in (("lead_status", 1), ("engagement", 6), ("standard", 10)):
        assert files.words(files.ask("definition", "leads", word)) == [("shared.sync", line)]
    (title,) = files.ask("definition", "shared", "weekly")
    assert title["uri"].endswith("/templates/activity_titles/weekly.j2")
    assert files.words(files.ask("definition", "leads", "prospect")) == [
        ("contacts.sync", 2),
        ("leads.sync", 1),
    ]
    assert files.ask("definition", "leads", "Email") == []


def test_a_name_in_a_broken_statement_leads_to_its_definition(files: Files) -> None:
    files.texts["leads"] = LEADS.replace("via lead_status", "prefer via lead_status")
    files.editor.replace(files.uri("leads"), files.texts["leads"])
    assert files.words(files.ask("definition", "leads", "engagement")) == [("shared.sync", 6)]
    files.texts["leads"] = LEADS.replace("        Status  -> stage   via lead_status\n", "")
    files.texts["leads"] = files.texts["leads"].replace("use engagement", "use engagement ->")
    files.editor.replace(files.uri("leads"), files.texts["leads"])
    assert files.words(files.ask("definition", "leads", "engagement")) == [("shared.sync", 6)]


def test_all_uses_of_a_name_are_found(files: Files) -> None:
    context = {"includeDeclaration": True}
    found = files.ask("references", "shared", "lead_status", context=context)
    assert files.words(found) == [("contacts.sync", 3), ("leads.sync", 11), ("shared.sync", 1)]
    found = files.ask("references", "leads", "engagement", context={"includeDeclaration": False})
    assert files.words(found) == [("contacts.sync", 3), ("leads.sync", 12)]
    found = files.ask("references", "leads", "Lead", context=context)
    assert files.words(found) == [("contacts.sync", 5), ("leads.sync", 1)]


def test_a_name_is_changed_in_all_files(files: Files) -> None:
    placeholder = files.ask("prepareRename", "leads", "lead_status")["placeholder"]
    assert placeholder == "lead_status"
    edit = files.ask("rename", "leads", "lead_status", newName="statuses")
    for name, text in files.texts.items():
        after = applied(text, edit["changes"][files.uri(name)])
        assert after == text.replace("lead_status", "statuses")
        files.editor.replace(files.uri(name), after)
    found = files.editor.at("hover", files.uri("leads"), (10, 34))
    assert "stages statuses" in found["contents"]["value"]


@pytest.mark.parametrize(
    ("name", "word", "why"),
    [
        ("leads", "Email", "only the names of groups and maps can be changed"),
        ("leads", "polling", "only the names of groups and maps can be changed"),
        ("leads", "Lead", "`Lead` is the name of a type, which its own system gives"),
        ("shared", "weekly", "rename `templates/activity_titles/weekly.j2`"),
    ],
)
def test_what_has_no_name_of_its_own_is_not_renamed(
    files: Files, name: str, word: str, why: str
) -> None:
    with pytest.raises(Refused, match=why):
        files.ask("prepareRename", name, word)
    with pytest.raises(Refused, match=why):
        files.ask("rename", name, word, newName="other")


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("", "is no name"),
        ("two words", "is no name"),
        ("1st", "is no name"),
        ("countries", "there is a map named `countries` already"),
    ],
)
def test_a_name_that_cannot_be_is_refused(files: Files, new: str, why: str) -> None:
    more = SHARED + '\nvalues countries { "a" -> "b" }\n'
    files.editor.replace(files.uri("shared"), more)
    with pytest.raises(Refused, match=why):
        files.ask("rename", "leads", "lead_status", newName=new)


def test_nothing_is_renamed_while_a_use_may_be_overlooked(files: Files) -> None:
    broken = CONTACTS.replace("via lead_status", "vai lead_status")
    files.editor.replace(files.uri("contacts"), broken)
    with pytest.raises(Refused, match=r"cannot be read at contacts\.sync:3"):
        files.ask("rename", "leads", "lead_status", newName="statuses")
