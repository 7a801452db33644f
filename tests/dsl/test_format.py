"""The canonical form: how rules look when formatted, and that nothing but their look changes."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from dsl import format as formatter
from dsl.files import decode
from dsl.format import format_source
from dsl.parser import parse
from dsl.source import Source
from dsl.tokens import tokens
from tests.dsl.texts import GAPS, joined, words

ROOT = Path(__file__).parents[2]
TOUR = ROOT / "tests" / "data" / "tour.sync"
RULES = sorted((ROOT / "rules").glob("*.sync"))


def formatted(text: str) -> str:
    result = format_source(Source("x.sync", text))
    assert (result.findings, result.flaw) == ((), None)
    return result.text


def fields(*rows: str) -> str:
    """A group of field lines, formatted: the rows in its braces without their indentation."""
    found = formatted("fields g {\n" + "\n".join(rows) + "\n}")
    assert found.startswith("fields g {\n")
    return dedent(found.removeprefix("fields g {\n").removesuffix("}\n"))


def condition(text: str) -> str:
    """A toggle with a condition, formatted."""
    found = formatted(f"sync A <-> b {{ inbound update when {text} }}")
    return dedent(found.removeprefix("sync A <-> b {\n").removesuffix("}\n"))


def rows(text: str) -> str:
    return dedent(text).removeprefix("\n")


# -- whole files --------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [TOUR, *RULES], ids=lambda file: file.name)
def test_the_shipped_rules_and_the_tour_are_canonical(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert formatted(text) == text


def test_the_rules_in_the_readme_are_canonical() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```sync\n(.*?)```", readme, re.DOTALL)
    assert examples
    assert [formatted(text) for text in examples] == examples


@pytest.mark.parametrize("file", [TOUR, *RULES], ids=lambda file: file.name)
def test_all_on_one_line_they_come_out_like_this(file: Path, snapshot: SnapshotAssertion) -> None:
    found = tokens(Source("x.sync", file.read_text(encoding="utf-8")))
    alone = [token.text for token in found if token.kind not in ("WHITE", "COMMENT")]
    text = re.sub(r"\b(left|lower|trim) \(", r"\1(", " ".join(alone))
    assert formatted(text) == snapshot


def test_comments_and_blank_lines_come_out_like_this(snapshot: SnapshotAssertion) -> None:
    text = (TOUR.parent / "comments.sync").read_text(encoding="utf-8")
    assert formatted(text) == snapshot


@pytest.mark.parametrize("text", ["", "\n", " \t\r\n\n"])
def test_an_empty_file_stays_empty(text: str) -> None:
    assert formatted(text) == ""


def test_a_file_of_comments_keeps_them_and_one_blank_line_between() -> None:
    assert formatted("\n\n  # one\n# two  \n\n\n\t# three") == "# one\n# two\n\n# three\n"


@pytest.mark.parametrize("name", ["\r\n", "\n", "\t\n", "\x0c\n"])
def test_line_ends_become_line_feeds_and_tabs_spaces(name: str) -> None:
    text = f"fields x {{{name}\tA\t<->\ta # c{name}}}"
    assert formatted(text) == "fields x {\n    A  <-> a  # c\n}\n"


# -- items and blocks ---------------------------------------------------------------------------


def test_one_blank_line_stands_between_items() -> None:
    text = "crosswalk 1 fields a{}\n# of b\nfields b{}\n\n\n# of c\n\n\nfields c{} # end"
    assert formatted(text) == (
        "crosswalk 1\n\nfields a { }\n\n# of b\nfields b { }\n\n# of c\n\nfields c { }  # end\n"
    )


def test_blank_lines_in_a_block_fold_to_one_and_none_is_at_its_ends() -> None:
    assert fields("", "", "A <-> a", "", "\t", "B <-> b", "C <-> c", "", "") == rows("""
        A  <-> a

        B  <-> b
        C  <-> c
        """)


def test_numbers_of_budgets_and_guards_are_right_aligned() -> None:
    text = """
        limits { outreach own 900 per hour salesforce total 10000 per day }
        guard { creates 500 per run blanking 1 % deletes 0 per run }
        """
    assert formatted(text) == rows("""
        limits {
            outreach   own     900 per hour
            salesforce total 10000 per day
        }

        guard {
            creates  500 per run
            blanking 1%
            deletes    0 per run
        }
        """)


def test_a_map_has_columns_for_labels_arrows_and_colours() -> None:
    text = 'stages s { "a" -> "long" otherwise hold "longer"<->"b" color "#123456" "" <- true }'
    assert formatted(text) == rows("""
        stages s {
            "a"        -> "long"
            otherwise hold
            "longer"  <-> "b"     color "#123456"
            ""        <-  true
        }
        """)


def test_activities_have_their_kinds_in_a_column_and_options_in_one_order() -> None:
    text = """activities a { email sent when a = 1 title "x" -> Task from anywhere on
        meeting rescheduled off text sent -> Task { A<-b } }"""
    assert formatted(text) == rows("""
        activities a {
            email sent           on from anywhere -> Task  title "x"  when a = 1
            meeting rescheduled  off
            text sent            -> Task {
                A  <- b
            }
        }
        """)


def test_clauses_stay_in_the_order_in_which_they_were_written() -> None:
    text = "sync A <-> b { pushing fields { use g } sync down match A.B = b and C = c polling }"
    assert formatted(text) == rows("""
        sync A <-> b {
            pushing
            fields {
                use g
            }
            sync down
            match A.B = b and C = c
            polling
        }
        """)


# -- lines --------------------------------------------------------------------------------------


def test_arrows_line_up_by_their_shafts() -> None:
    assert fields("A <-> a", "Long -> b", "C <- c once") == rows("""
        A     <-> a
        Long   -> b
        C     <-  c  once
        """)


@pytest.mark.parametrize("arrow", ["->", "<-"])
def test_arrows_of_one_direction_need_no_room_for_the_other(arrow: str) -> None:
    assert fields(f"Long {arrow} a", f"B {arrow} b") == f"Long  {arrow} a\nB     {arrow} b\n"


def test_modifiers_come_in_one_order_and_one_column() -> None:
    assert fields(
        "A <-> a when b = 1 once prefer newest via m prevent empty inbound",
        "B <-> long",
        "C -> c once",
    ) == rows("""
        A  <-> a     prevent empty inbound  via m  prefer newest  once  when b = 1
        B  <-> long
        C   -> c     once
        """)


def test_what_is_very_long_pushes_nothing_else_to_the_right() -> None:
    name = "A" * 60
    assert fields(f"{name} -> b once", "B <-> b once") == f"{name}  -> b  once\nB  <-> b  once\n"


def test_a_function_call_stands_out_rather_than_push_names() -> None:
    assert fields("lower(trim(Title)) -> title once", "A <-> a once") == rows("""
        lower(trim(Title))  -> title  once
        A  <-> a      once
        """)


def test_the_longest_name_that_salesforce_allows_is_in_the_column() -> None:
    name = "A" * 40 + "__c"
    assert fields(f"{name} -> a", "B -> b") == f"{name}  -> a\n{'B'.ljust(43)}  -> b\n"


def test_columns_count_what_a_terminal_shows() -> None:
    assert fields('"日本" -> a', '"abc" -> b') == '"日本"  -> a\n"abc"   -> b\n'


def test_expressions_have_their_spaces_in_the_usual_places() -> None:
    assert fields('concat( A . B ,"x" , f( ) )->b') == 'concat(A.B, "x", f())  -> b\n'


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (r'"a\"b\\c\n\t"', r'"a\"b\\c\n\t"'),
        (r'"\u{1F600}\u{41}\u{e4}"', '"\U0001f600A\xe4"'),
        ('"a\tb"', r'"a\tb"'),
        (r'"\u{a}\u{9}\u{22}\u{5c}"', r'"\n\t\"\\"'),
        ('"\xa0\u202e\ufeff\x07"', r'"\u{A0}\u{202E}\u{FEFF}\u{7}"'),
        ('"\U0001f468\u200d\U0001f469"', '"\U0001f468\u200d\U0001f469"'),
    ],
)
def test_strings_escape_only_what_they_must_and_what_cannot_be_seen(
    written: str, shown: str
) -> None:
    assert fields(f"{written} -> a") == f"{shown}  -> a\n"


@pytest.mark.parametrize("number", ["0", "-3", "1.50", "007"])
def test_numbers_stay_as_they_were_written(number: str) -> None:
    assert fields(f"{number} -> a") == f"{number}  -> a\n"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("1 hours", "1 hour"),
        ("10 minute", "10 minutes"),
        ("0 day", "0 days"),
        ("01 days", "01 day"),
    ],
)
def test_durations_are_singular_or_plural_as_their_number_is(written: str, shown: str) -> None:
    assert condition(f"a > {written} ago") == f"inbound update when a > {shown} ago\n"
    assert f"every {shown}\n" in formatted(f"sync A <-> b {{ polling every {written} }}")


# -- conditions ---------------------------------------------------------------------------------


def test_a_short_condition_is_on_one_line_however_it_was_broken() -> None:
    text = "a=1\nand not(b in(1,2)\nor c is\nnot empty)"
    shown = "inbound update when a = 1 and not (b in (1, 2) or c is not empty)\n"
    assert condition(text) == shown


def test_a_short_block_stays_on_one_line() -> None:
    shown = "inbound update when all { a = 1  any { b = 2  c changed } }\n"
    assert condition("all{a=1 any{b=2 c changed}}") == shown


def test_a_block_that_was_on_several_lines_has_one_term_a_row() -> None:
    assert condition("all { a = 1 any { b = 2  c = 3 }\n}") == rows("""
        inbound update when all {
            a = 1
            any { b = 2  c = 3 }
        }
        """)


LONG = [f'Some_Long_Field_Name_{n}__c = "{n}"' for n in range(3)]


def test_a_block_that_does_not_fit_has_one_term_a_row() -> None:
    one, two, three = LONG
    assert condition(f"all {{ {one} any {{ {two} {three} }} }}") == (
        f"inbound update when all {{\n    {one}\n    any {{ {two}  {three} }}\n}}\n"
    )


def test_a_chain_that_does_not_fit_goes_on_below() -> None:
    one, two, three = LONG
    assert condition(f"{one} and ({two} or {three})") == (
        f"inbound update when {one}\n    and ({two} or {three})\n"
    )


def test_a_line_of_one_hundred_columns_still_fits() -> None:
    inside = "    inbound update when a = 1 and b = "
    for extra in (0, 1):
        text = '"' + "x" * (98 - len(inside) + extra) + '"'
        found = formatted(f"sync A <-> b {{ inbound update when a = 1 and b = {text} }}")
        assert len(found.splitlines()[1]) == (
            100 if not extra else len("    inbound update when a = 1")
        )


# -- tests in the language ----------------------------------------------------------------------


def test_statements_of_a_test_have_their_records_in_a_column() -> None:
    text = """test "x" { given A{B:"b" c:[ 1,2 ]} linked d{} when A{} expect no d
        expect conflict on B }"""
    assert formatted(text) == rows("""
        test "x" {
            given  A { B: "b"  c: [1, 2] } linked d { }
            when   A { }
            expect no d
            expect conflict on B
        }
        """)


def test_a_record_that_does_not_fit_has_one_field_a_row() -> None:
    text = f'test "x" {{ given A {{ B: "{"b" * 50}" C: "{"c" * 50}" }} linked d {{ e: 1 }} }}'
    assert formatted(text) == (
        'test "x" {\n    given  A {\n'
        f'        B: "{"b" * 50}"\n        C: "{"c" * 50}"\n'
        "    } linked d { e: 1 }\n}\n"
    )


# -- comments -----------------------------------------------------------------------------------


def test_comments_at_the_ends_of_neighbouring_lines_are_in_a_column() -> None:
    assert fields(
        "A -> a # one", "Long -> b", "# own", "C -> c once # two", "", "D -> d # x"
    ) == rows("""
        A     -> a        # one
        Long  -> b
        # own
        C     -> c  once  # two

        D     -> d  # x
        """)


def test_modifiers_with_a_comment_between_them_stay_in_their_order() -> None:
    written = ("A <-> a once # why", "prevent empty", "B <-> b once prevent empty # c")
    assert fields(*written) == rows("""
        A  <-> a  once  # why
            prevent empty
        B  <-> b  prevent empty  once  # c
        """)


def test_a_comment_inside_a_condition_stays_beside_its_term() -> None:
    assert condition("all { a = 1 # one\n # two\n b = 2\n # end\n }") == rows("""
        inbound update when all {
            a = 1  # one
            # two
            b = 2
            # end
        }
        """)


def test_an_opening_brace_goes_up_beside_its_header() -> None:
    assert formatted("fields x # why\n{ # two\n A -> b }") == rows("""
        fields x {  # why
            # two
            A  -> b
        }
        """)


# -- what is not formatted ----------------------------------------------------------------------


def test_a_file_with_a_syntax_error_is_left_as_it_is() -> None:
    text = "fields   a{}\nfields b { A = a }\n"
    result = format_source(Source("x.sync", text))
    assert result.text == text
    assert [d.code for d in result.findings] == ["CW101"]


def test_names_that_do_not_exist_are_no_reason_not_to_format() -> None:
    assert formatted("sync Nope<->nothing{}") == "sync Nope <-> nothing { }\n"


@pytest.mark.parametrize(
    ("wrong", "flaw"),
    [
        ("fields x { A -> ", "cannot be read"),
        ("# c\nfields x {\n    A  -> b\n}\n", "what the rules say"),
        ("# c\nfields x {\n    A  -> a  when b = true\n}\n", "what the rules say"),
        ("fields x {\n    A  -> a  when b = 1\n}\n", "comment"),
        ("# c\nfields x { A -> a when b = 1 }\n", "its own output"),
    ],
)
def test_what_the_formatter_would_do_wrong_is_never_written(
    wrong: str, flaw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "# c\nfields x{A->a when b=1}"
    pages = iter([wrong, formatted(text)])
    monkeypatch.setattr(formatter, "_printed", lambda _: next(pages))
    result = format_source(Source("x.sync", text))
    assert result.text == text
    assert flaw in (result.flaw or "")


# -- laws ---------------------------------------------------------------------------------------

gaps = st.lists(st.sampled_from(GAPS), min_size=1, max_size=40)


@settings(max_examples=150, deadline=None)
@given(words, gaps, st.booleans(), st.sampled_from(["", "\n", " # end", "\r\n\r\n"]))
def test_formatting_keeps_the_tree_and_the_comments_and_is_done_after_one_pass(
    rule: list[str], between: list[str], windows: bool, end: str
) -> None:
    raw = (joined(rule, between) + end).encode()
    if windows:
        raw = codecs.BOM_UTF8 + raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    source = decode(raw, "x.sync")
    assert isinstance(source, Source)
    before, found = parse(source)
    assert found == []
    once = formatted(source.text)
    after, found = parse(Source("x.sync", once))
    assert found == []
    assert formatter._meaning(after.items) == formatter._meaning(before.items)
    assert [c.text for c in after.comments] == [c.text.rstrip() for c in before.comments]
    assert formatted(once) == once
    assert "\r" not in once
    assert "\n\n\n" not in once
    assert not once or (once.endswith("\n") and not once.startswith("\n"))
    assert all(row == row.rstrip() and row[:1] != "\t" for row in once.split("\n"))


@settings(max_examples=60, deadline=None)
@given(words, st.lists(st.sampled_from([" ", "  ", "\t", "\f "]), min_size=1))
def test_white_space_within_a_line_says_nothing(rule: list[str], between: list[str]) -> None:
    assert formatted(joined(rule, between)) == formatted(" ".join(rule))


_TEXT = TOUR.read_text(encoding="utf-8")
edited = st.tuples(st.integers(0, len(_TEXT)), st.integers(0, 30), st.text(max_size=3)).map(
    lambda edit: _TEXT[: edit[0]] + edit[2] + _TEXT[edit[0] + edit[1] :]
)
soup = st.tuples(words, gaps, st.text(max_size=3)).map(
    lambda parts: joined(sorted(parts[0]), parts[1]) + parts[2]
)


@settings(max_examples=150, deadline=None)
@given(st.text() | edited | soup)
def test_no_text_makes_the_formatter_fail_or_change_what_it_cannot_read(text: str) -> None:
    result = format_source(Source("x.sync", text))
    assert result.flaw is None
    if result.findings:
        assert result.text == text
    else:
        assert formatted(result.text) == result.text


@pytest.mark.parametrize("opening", ["not ", "(", "all { "])
def test_the_deepest_condition_that_is_read_is_formatted(opening: str) -> None:
    closing = {"not ": "", "(": ")", "all { ": " }"}[opening]
    text = opening * 60 + "a = 1" + closing * 60
    shown = condition(text)
    assert condition(shown.removeprefix("inbound update when ")) == shown
