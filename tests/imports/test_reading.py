"""Reading lists: whatever wrote the file, the same rows are read."""

from __future__ import annotations

import csv
import io
import tempfile
from datetime import UTC, date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsl.schema import Kind, ObjectType, Side, shipped_schema
from engine.imports.locales import LOCALES, Locale, parse_date, parse_number
from engine.imports.rows import Bad, Entry, ListFile, open_list
from engine.imports.text import Unreadable

EXPORT = Path(__file__).parents[1] / "data" / "leads_export.csv"
READS = ("Email", "Company", "AnnualRevenue", "HasOptedOutOfEmail", "ConvertedDate", "Owner.Name")
HEADERS = ["Company / Account", "Annual Revenue", "Email Opt Out", "ConvertedDate"]
ANY = st.one_of(st.characters(exclude_categories=["Cs", "Cc"]), st.sampled_from('",;\t|\n\r'))
TEXTS = dict.fromkeys(
    ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"), st.text(ANY, max_size=12)
) | {"cp1252": st.text("aZ äöüß\"',;\t|\n\r.0-", max_size=12)}


def lead() -> ObjectType:
    found = shipped_schema().get(Side.SALESFORCE, "Lead")
    assert found is not None
    return found


def opened(path: Path, locale: Locale | None = None) -> ListFile:
    return open_list(path, lead(), reads=READS, keys=[["Email"]], locale=locale, zone=UTC)


def read(path: Path, locale: Locale | None = None) -> tuple[list[Entry], list[Bad]]:
    chunks = list(opened(path, locale).chunks())
    return [e for c in chunks for e in c.entries], [b for c in chunks for b in c.bad]


def file_of(folder: Path, *lines: str) -> Path:
    path = folder / "list.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def written_date(day: date, locale: Locale) -> str:
    parts = {"d": f"{day.day}", "m": f"{day.month}", "y": f"{day.year}"}
    return "/".join(parts[letter] for letter in locale.order)


def written_number(number: float, locale: Locale) -> str:
    english = f"{number:,.2f}" if isinstance(number, float) else f"{number:,}"
    if locale.decimal == ".":
        return english
    return english.translate(str.maketrans(",.", ".,"))


@st.composite
def lists(draw: st.DrawFn) -> tuple[bytes, str, list[dict[str, Any]]]:
    """A file in some encoding, dialect and locale, with what was put into it."""
    encoding = draw(st.sampled_from(sorted(TEXTS)))
    name = draw(st.sampled_from(sorted(LOCALES)))
    locale, rows = LOCALES[name], []
    out = io.StringIO()
    # Python's own writer leaves a lone CR unquoted where rows end in LF alone.
    dialects = [(csv.QUOTE_ALL, "\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_MINIMAL, "\r\n")]
    quoting, ending = draw(st.sampled_from(dialects))
    writer = csv.writer(
        out,
        delimiter=draw(st.sampled_from(",;\t|")),
        quoting=quoting,
        lineterminator=ending,
    )
    writer.writerow(["Email", *HEADERS])
    for number in range(draw(st.integers(1, 4))):
        values = {
            "Email": f"p{number}@x.co",
            "Company": draw(TEXTS[encoding]).strip(),
            "AnnualRevenue": draw(
                st.one_of(
                    st.integers(-(10**9), 10**9),
                    st.integers(-(10**9), 10**9).map(lambda cents: cents / 100),
                )
            ),
            "HasOptedOutOfEmail": draw(st.booleans()),
            "ConvertedDate": draw(st.dates(date(1950, 1, 1), date(2080, 1, 1))),
        }
        writer.writerow(
            [
                values["Email"],
                values["Company"],
                written_number(values["AnnualRevenue"], locale),
                int(values["HasOptedOutOfEmail"]),
                written_date(values["ConvertedDate"], locale),
            ]
        )
        values["ConvertedDate"] = values["ConvertedDate"].isoformat()
        rows.append({key: value for key, value in values.items() if value != ""})
    if encoding == "cp1252":
        writer.writerow(["ä@x.co"])  # or it would be ASCII, and nothing to tell
        rows.append({"Email": "ä@x.co"})
    return out.getvalue().encode(encoding), name, rows


@given(lists())
def test_any_dialect_encoding_and_locale_is_read_as_it_was_written(
    given_: tuple[bytes, str, list[dict[str, Any]]],
) -> None:
    content, locale, rows = given_
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        path.write_bytes(content)
        entries, bad = read(path, LOCALES[locale])
    assert (bad, [entry.values for entry in entries]) == ([], rows)


def test_a_salesforce_export_is_read_by_its_labels_and_short_ids() -> None:
    file = opened(EXPORT)
    assert file.columns.notes == ()
    entries, bad = read(EXPORT)
    assert (len(entries), bad) == (22, [])
    assert entries[0] == Entry(2, "00Q3z00001AmqLYEAZ", {})


def test_what_reports_have_at_their_end_is_no_row(tmp_path: Path) -> None:
    path = file_of(
        tmp_path,
        "Email,Company / Account,Annual Revenue",
        '"a@x.co","Copyright\nClearance",1',
        '"Grand Totals (1 record)","","1"',
        "",
        '"Hot leads"',
        '"Copyright (c) 2000-2023 salesforce.com, inc. All rights reserved."',
        '"Confidential Information - Do Not Distribute"',
        '"Generated By:  Ada Byron  5/3/2023 4:05 PM"',
        "b@x.co,Edge,2",
    )
    entries, bad = read(path)
    assert bad == []
    assert [(e.line, e.values["Email"]) for e in entries] == [(2, "a@x.co"), (10, "b@x.co")]


@pytest.mark.parametrize(
    ("dates", "found"),
    [
        (["5/3/2023", "5/31/2023"], ["2023-05-03", "2023-05-31"]),
        (["5/3/2023", "31/5/2023"], ["2023-03-05", "2023-05-31"]),
        (["3.5.2023", "2023-05-04"], ["2023-05-03", "2023-05-04"]),
        (["2023/5/3"], ["2023-05-03"]),
    ],
)
def test_a_locale_that_a_file_shows_need_not_be_named(
    tmp_path: Path, dates: list[str], found: list[str]
) -> None:
    rows = [f"p{n}@x.co,{day}" for n, day in enumerate(dates)]
    entries, bad = read(file_of(tmp_path, "Email,Converted Date", *rows))
    assert ([e.values["ConvertedDate"] for e in entries], bad) == (found, [])


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Converted Date", ["5/3/2023"]),
        ("Converted Date", ["5/31/2023", "31/5/2023"]),
        ("Annual Revenue", ["1.234"]),
        ("Annual Revenue", ["1.5", '"1,5"']),
    ],
)
def test_a_locale_that_may_be_another_has_to_be_named(
    tmp_path: Path, header: str, cells: list[str]
) -> None:
    path = file_of(tmp_path, f"Email,{header}", *(f"p@x.co,{cell}" for cell in cells))
    with pytest.raises(Unreadable, match="--locale"):
        opened(path)
    assert read(path, LOCALES["en_US"])[0]


def test_columns_that_are_no_field_or_may_be_two_are_told_of(tmp_path: Path) -> None:
    path = file_of(tmp_path, "email,Company,Company / Account,Shoe Size", "a@x.co,Edge,Other,42")
    file = opened(path)
    assert file.columns.unknown == ("Shoe Size",)
    assert "`Company` and `Company / Account` are both Company" in file.columns.notes[0]
    assert "`Shoe Size` is no field of Lead" in file.columns.notes[1]
    assert read(path)[0][0].values == {"Email": "a@x.co", "Company": "Edge"}


def test_bad_rows_name_their_line_and_the_others_are_read(tmp_path: Path) -> None:
    path = file_of(
        tmp_path,
        "Lead ID,Email,Annual Revenue,Email Opt Out",
        "00Q3z00001AmqLY,,,",
        "00q3z00001amqlyeaz,,,",
        "Bertha,,,",
        ',"a\n@x.co",much,1',
        ",b@x.co,1,perhaps",
        ",c@x.co,1,0,extra",
        ',d@x.co,"$2,500.00",x',
    )
    entries, bad = read(path)
    assert [e.line for e in entries] == [2, 9]
    assert entries[1].values["AnnualRevenue"] == 2500
    assert [b.line for b in bad] == [3, 4, 5, 7, 8]
    words = ("lost the case", "no id", "`much` in `Annual Revenue`", "checkbox", "has 5 cells")
    assert all(word in b.message for word, b in zip(words, bad, strict=True))


def test_a_file_that_is_no_list_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="Lead ID or Email is needed"):
        opened(file_of(tmp_path, "First Name,Last Name", "Ada,Byron"))
    with pytest.raises(Unreadable, match="is empty"):
        opened(file_of(tmp_path, ""))
    with pytest.raises(Unreadable, match="cannot be read"):
        opened(tmp_path / "nowhere.csv")
    with pytest.raises(Unreadable, match=r":2: a cell is longer"):
        read(file_of(tmp_path, "Email,Company", 'a@x.co,"' + "x" * ((1 << 20) + 1)))


def test_a_list_of_ids_alone_ends_where_the_report_does(tmp_path: Path) -> None:
    path = file_of(tmp_path, "sep=;", '"Lead ID"', '"00Q3z00001AmqLY"', "", '"Hot leads"')
    assert read(path) == ([Entry(3, "00Q3z00001AmqLYEAZ", {})], [])


@pytest.mark.parametrize(
    ("text", "locale", "found"),
    [
        ("5/3/2023 4:05 PM", "en_US", "2023-05-03T14:05:00.000Z"),
        ("5/3/2023, 12:05 am", "en_US", "2023-05-02T22:05:00.000Z"),
        ("03.05.2023 16:05:30", "de_DE", "2023-05-03T14:05:30.000Z"),
        ("03/05/23", "en_GB", "2023-05-02T22:00:00.000Z"),
        ("2023-05-03T16:05:00Z", "en_US", "2023-05-03T16:05:00.000Z"),
        ("2023-05-03 16:05", "", "2023-05-03T14:05:00.000Z"),
        ("31/2/2023", "en_GB", None),
        ("5/3/2023 25:00", "en_US", None),
        ("tomorrow", "en_US", None),
    ],
)
def test_a_time_is_that_of_the_projects_zone(text: str, locale: str, found: str | None) -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert parse_date(text, Kind.DATETIME, LOCALES.get(locale, Locale()), zone) == found


@pytest.mark.parametrize(
    ("text", "locale", "found"),
    [
        ("USD 900,750,000.00", "en_US", 900750000.0),
        ("1.234,50 €", "de_DE", 1234.5),
        ("1\u2019234.50", "de_CH", 1234.5),
        ("1 234,5", "fr_FR", 1234.5),
        ("12,34,567", "en_IN", 1234567),
        ("(5.5)", "en_US", -5.5),
        ("45%", "en_US", 45),
        ("1.2.3", "en_US", None),
        ("1.5", "de_DE", None),
        ("many", "en_US", None),
    ],
)
def test_a_number_is_read_with_its_currency_and_groups(
    text: str, locale: str, found: float | None
) -> None:
    assert parse_number(text, LOCALES[locale]) == found
