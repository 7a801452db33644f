"""What is wrong in one place is reported once, there, and hides nothing elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.parser import parse
from dsl.source import Source
from dsl.tokens import tokens

# Each: a file, and the (line, column) of every finding that it must give, all of them CW101.
BROKEN: dict[str, tuple[str, list[tuple[int, int]]]] = {
    "a misspelt clause": ("sync Lead <-> prospect {\n    macth Email = emails\n}\n", [(2, 5)]),
    "a misspelt toggle": (
        "sync Lead <-> prospect {\n    inbound crate\n    pushing\n}\n",
        [(2, 13)],
    ),
    "a misspelt option": ("sync Lead <-> prospect {\n    polling evry 10 minutes\n}\n", [(2, 13)]),
    "a misspelt operator": (
        'sync Lead <-> prospect {\n    inbound update when Email contans "x"\n    pushing\n}\n',
        [(2, 31)],
    ),
    "a misspelt item": (
        "crosswalk 1\nsnyc Lead <-> prospect {\n    match Email = emails\n}\n",
        [(2, 1)],
    ),
    "a misspelt modifier": (
        "fields x {\n    A <-> a prevnt empty\n    B <-> b\n}\n",
        [(2, 13)],
    ),
    "a misspelt modifier at the end": ("fields x {\n    A <-> a oce\n    B <-> b\n}\n", [(2, 13)]),
    "half a field line": ("fields x {\n    A <->\n    B <-> b\n    C <-> c\n}\n", [(2, 7)]),
    "half a field line at the end": ("fields x {\n    A <-> a\n    B <->\n}\n", [(3, 7)]),
    "a field line without an arrow": ("fields x {\n    A = a\n    B <-> b\n}\n", [(2, 7)]),
    "a field line of one name": ("fields x {\n    A\n    B <-> b\n}\n", [(2, 5)]),
    "two wrong lines": ("fields x {\n    A = a\n    B <-> b\n    C => c\n}\n", [(2, 7), (4, 7)]),
    "a missing opening brace": ("guard\n    creates 5 per run\n}\n", [(1, 1)]),
    "a missing opening brace inside": (
        "sync Lead <-> prospect {\n    fields\n        A <-> b\n    }\n    pushing\n}\n",
        [(2, 5)],
    ),
    "a missing closing brace inside": (
        "sync Lead <-> prospect {\n    fields {\n        A <-> b\n    activities { use x }\n}\n",
        [(2, 12)],
    ),
    "a missing closing brace at the end": ("sync Lead <-> prospect {\n    pushing\n", [(1, 24)]),
    "a missing closing brace before an item": (
        "fields x {\n    A <-> a\n\nfields y {\n    B <-> b\n}\n",
        [(1, 10)],
    ),
    "two missing closing braces": (
        "sync Lead <-> prospect {\n    fields {\n        A <-> b",
        [(1, 24), (2, 12)],
    ),
    "a closing brace too many": ("fields x {\n    A <-> a\n}\n}\n", [(4, 1)]),
    "a string without an end": ('stages x {\n    "a" <-> "b\n    "c" <-> "d"\n}\n', [(2, 13)]),
    "a title without an end": ('test "x {\n    expect no prospect\n}\n', [(1, 6)]),
    "single quotes": ("stages x {\n    'a' <-> \"b\"\n}\n", [(2, 5)]),
    "characters of no token": ("fields x {\n    A <-> @a\n    B $ <-> b;\n}\n", [(2, 11), (3, 7)]),
    "a slash comment": ("// not a comment\nfields x {\n    A <-> a\n}\n", [(1, 1)]),
    "C's and": (
        "sync Lead <-> prospect {\n    inbound update when A = 1 && B = 2\n    pushing\n}\n",
        [(2, 31)],
    ),
    "C's equality": ("sync Lead <-> prospect {\n    inbound update when A == 1\n}\n", [(2, 28)]),
    "a wrong header": (
        "sync Lead <> prospect {\n    macth A = b\n}\nguard { x }\n",
        [(1, 11), (4, 9)],
    ),
    "a wrong arrow in a map": ('stages x {\n    "a" => "b"\n    "c" <-> "d"\n}\n', [(2, 9)]),
    "a wrong word in a map": ('stages x {\n    "a" <-> "b"\n    otherwise hodl\n}\n', [(3, 15)]),
    "a wrong word in limits": (
        "limits {\n    salesforce totl 5 per day\n    outreach own 5 per week\n}\n",
        [(2, 16), (3, 24)],
    ),
    "a record without a colon": (
        'test "x" {\n    given Lead { Email "x" }\n    expect no prospect\n}\n',
        [(2, 24)],
    ),
    "a wrong expectation": (
        'test "x" {\n    expct no prospect\n    expect no conflict\n}\n',
        [(2, 5)],
    ),
    "an unfinished condition in a block": (
        (
            "sync Lead <-> prospect {\n    inbound update when all {\n"
            "        A = 1\n        B\n    }\n"
            "    pushing\n}\n"
        ),
        [(4, 9)],
    ),
    "an unfinished condition": (
        "sync Lead <-> prospect {\n    pushing\n    inbound update when A =\n}\n",
        [(3, 27)],
    ),
    "a wrong activity": (
        "activities x {\n    email snet -> Task\n    call logged form outreach\n}\n",
        [(2, 11), (3, 17)],
    ),
    "an empty block of conditions": (
        "sync Lead <-> prospect {\n    inbound update when all { }\n    pushing\n}\n",
        [(2, 29)],
    ),
    "a `use` without a name": ("sync Lead <-> prospect {\n    fields { use }\n}\n", [(2, 14)]),
    "an unknown escape": ('stages x {\n    "a\\q" <-> "b"\n}\n', [(2, 7)]),
    "a date that is none": (
        "sync Lead <-> prospect {\n    inbound update when A > 2026-02-30\n}\n",
        [(2, 29)],
    ),
    "a duration of halves": (
        "sync Lead <-> prospect {\n    polling every 1.5 hours\n}\n",
        [(2, 19)],
    ),
    "a duration of ages": (
        "sync Lead <-> prospect {\n    inbound update when A > 36526 days ago\n}\n",
        [(2, 29)],
    ),
    "an instant before the calendar": (
        "sync Lead <-> prospect {\n    inbound update when A > 0001-01-01T00:00:00+02:00\n}\n",
        [(2, 29)],
    ),
    "a count below nothing": ("guard {\n    creates -5 per run\n}\n", [(2, 13)]),
    "a named block in a sync": (
        "sync Lead <-> prospect {\n    fields mine {\n        A <-> b\n    }\n    pushing\n}\n",
        [(2, 12)],
    ),
    "a brace too many in front": ("fields x { {\n    A <-> b\n}\n", [(1, 12)]),
    "a brace too many behind": (
        "sync Lead <-> prospect {\n    fields { A <-> b } }\n    pushing\n}\n",
        [(2, 24)],
    ),
    "only a brace": ("{\n", [(1, 1)]),
    "only a word": ("hello\n", [(1, 1)]),
    "one mistake in each of three items": (
        "fields x {\n    A = a\n}\nguard {\n    creates 5\n}\nstages z {\n    a <-> b\n}\n",
        [(2, 7), (5, 13), (8, 5)],
    ),
    "mistakes on one line of a sync": (
        "sync Lead <-> prospect { macth A = b  pollling  fields { A <-> b } }\n",
        [(1, 26)],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_mistake_gives_one_finding_where_it_is(name: str) -> None:
    text, expected = BROKEN[name]
    _, found = parse(Source("x.sync", text))
    assert sorted((*d.span.first, d.code) for d in found) == [(*at, "CW101") for at in expected]


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_right_around_a_mistake_is_still_read(name: str) -> None:
    text, _ = BROKEN[name]
    module, _ = parse(Source("x.sync", text + "\nfields untouched {\n    A <-> a\n}\n"))
    assert any(getattr(getattr(i, "name", None), "text", None) == "untouched" for i in module.items)


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_reads_the_same_with_windows_line_ends(name: str) -> None:
    text, expected = BROKEN[name]
    _, found = parse(Source("x.sync", text.replace("\n", "\r\n")))
    assert sorted(tuple(d.span.first) for d in found) == expected


TOUR = (Path(__file__).parents[1] / "data" / "tour.sync").read_text(encoding="utf-8")
WORDS = [t for t in tokens(Source("tour.sync", TOUR)) if t.kind not in ("WHITE", "COMMENT")]


@pytest.mark.parametrize("nth", range(6))
def test_one_word_less_twice_or_misspelt_in_the_tour_is_at_most_one_finding(nth: int) -> None:
    for word in WORDS[nth::6]:
        before, after = TOUR[: word.start], TOUR[word.end :]
        misspelt = word.text[0] + "zq" + word.text[1:] if word.text.isidentifier() else ""
        for new in ("", f"{word.text} {word.text}", misspelt):
            _, found = parse(Source("tour.sync", before + new + after))
            assert len(found) <= 1, (word.text, new, [d.message for d in found])
