"""The outline, the folds and the growing selection of a rule file."""

from __future__ import annotations

from typing import Any

from tests.lsp.conftest import LEADS, SHARED
from tests.lsp.editor import Editor

TEXT = f"{SHARED}\n# one\n# two\n# three\n{LEADS}"


def outline(symbols: list[dict[str, Any]]) -> list[Any]:
    """Names, nested."""
    return [
        [each["name"], *outline(each["children"])] if each.get("children") else each["name"]
        for each in symbols
    ]


def test_the_outline_shows_items_with_their_clauses_and_lines(scratch: Editor) -> None:
    scratch.open("untitled:outline", TEXT)
    found = scratch.of("documentSymbol", "untitled:outline")
    assert outline(found) == [
        ["lead_status", '"Open - Not Contacted" -> "Open"'],
        ["engagement", "Title -> title"],
        ["standard", "email sent"],
        [
            "Lead <-> prospect",
            "match Email = emails",
            "polling",
            "inbound create",
            "inbound update",
            "pushing",
            ["fields", "Email -> emails", "Status -> stage", "use engagement"],
            ["activities", "use standard"],
        ],
    ]
    details = {each["name"]: each["detail"] for each in found[3]["children"] if "detail" in each}
    assert details["pushing"] == "on, every 15 seconds"
    assert details["polling"] == "on, every 10 minutes, when IsConverted is false"


def test_a_symbol_lies_in_the_one_above_it_and_its_name_in_itself(scratch: Editor) -> None:
    def check(symbols: list[dict[str, Any]], within: tuple[Any, Any]) -> None:
        for each in symbols:
            whole, name = _range(each["range"]), _range(each["selectionRange"])
            assert within[0] <= whole[0] <= name[0] <= name[1] <= whole[1] <= within[1]
            check(each.get("children") or [], whole)

    scratch.open("untitled:outline", TEXT)
    check(scratch.of("documentSymbol", "untitled:outline"), ((0, 0), (10**6, 0)))


def _range(where: dict[str, Any]) -> tuple[tuple[int, int], tuple[int, int]]:
    start, end = where["start"], where["end"]
    return (start["line"], start["character"]), (end["line"], end["character"])


def test_blocks_and_runs_of_comments_fold(scratch: Editor) -> None:
    text = (
        "# a {\n# b\nsync Lead <-> prospect {\n    match Email = emails  # }\n"
        '    fields {\n        "}" -> title\n    }\n}\ntest "t" { given Lead { } }\n# alone\n'
    )
    scratch.open("untitled:folds", text)
    found = scratch.of("foldingRange", "untitled:folds")
    rows = {(each["startLine"], each["endLine"], each.get("kind")) for each in found}
    assert rows == {(2, 6, None), (4, 5, None), (0, 1, "comment")}


def test_a_mistake_unfolds_nothing(scratch: Editor) -> None:
    scratch.open("untitled:folds", LEADS.replace("match", "mtach"))
    whole = scratch.of("foldingRange", "untitled:folds")
    scratch.open("untitled:folds", LEADS)
    assert whole == scratch.of("foldingRange", "untitled:folds")


def test_a_selection_grows_from_the_word_to_the_file(scratch: Editor) -> None:
    scratch.open("untitled:selection", LEADS)
    place = {"line": 4, "character": 46}
    (found,) = scratch.of("selectionRange", "untitled:selection", positions=[place])
    texts = []
    while found:
        (line, first), (last, end) = _range(found["range"])
        texts.append(LEADS.splitlines()[line][first : end if line == last else None])
        found = found.get("parent")
    assert texts[:3] == ["Rating", 'Rating in ("Hot", "Warm")', texts[2]]
    assert texts[2] == 'Email is present and Rating in ("Hot", "Warm")'
    assert len(texts) >= 6
