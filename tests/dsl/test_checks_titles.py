"""CW208: titles of activities."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dsl.lint import check
from dsl.schema import shipped_schema
from dsl.source import Source
from tests.dsl.support import codes, findings, lead

GOOD = [
    "",
    "{ not a tag } }}",
    "[Call] {{ purpose }}: {{disposition}}",
    "{{ note | upper | truncate(20) }}",
    "{{ prospect.company }} {{ user.firstName }}",
    "{% if note is defined %}{{ note }}{% else %}none{% endif %}",
    "{% if purpose in ['Demo', 'Intro'] and note | length > 3 %}{{ note }}{% endif %}",
    "{{ 'note' ~ 3 }}{{ true }}",
    "{# a remark about nothing #}{{- note -}}",
]


@pytest.mark.parametrize("title", GOOD)
def test_a_good_title_gives_no_finding(title: str) -> None:
    assert codes(lead(activities=f'call logged title "{title}"')) == []


BAD = [
    ("{{ purpos }}", "purpos", "purpose"),
    ("{{ note }} {{ a_thing_unheard_of }}", "a_thing_unheard_of", None),
    ("{{ note | uper }}", "uper", "upper"),
    ("{{ note }}{{ note | default(purpos) }}", "purpos", "purpose"),
    ("{{ prospect.compny }}", "compny", "company"),
    ("{{ note is definde }}", "definde", "defined"),
    ("a {{ note", "{{ note", None),
    ("a {{ note note }} b", "{{ note note }}", None),
    ("a {% if note %} b", "{% if note %}", None),
    ("{% include 'x' %}", "include", None),
    ("{% extends 'x' %}", "extends", None),
    ("{% if note %}{% from 'x' import y %}{% endif %}", "from", None),
    ("{% for y in [1] %}{{ y }}{% endfor %}", "for", None),
    ("{% set x = note %}", "set", None),
    ("{{ note * 9 }}", "*", None),
    ("{{ note.ljust(9) }}", "ljust(", None),
    ("{{ note | center(9) }}", "center", None),
    ('\\"{{ note }}\\" {{ purpos }}', "purpos", "purpose"),
]


@pytest.mark.parametrize(("title", "text", "suggestion"), BAD)
def test_a_bad_title_gives_one_finding_at_the_word(
    title: str, text: str, suggestion: str | None
) -> None:
    line = f'call logged when note = "title" title "{title}" -> Task'
    (found,) = findings(lead(activities=line))
    assert (found.code, found.span.text, found.suggestion) == ("CW208", text, suggestion)


def test_texts_and_meetings_have_the_fields_of_the_shape_that_ships() -> None:
    good = 'text sent title "{{ body }}"\nmeeting booked title "{{ subject }} {{ prospect.name }}"'
    assert codes(lead(activities=good)) == []
    assert codes(lead(activities='meeting booked title "{{ what.ever }}"')) == ["CW208"]
    assert codes(lead(activities='text sent title "{{ anything"')) == ["CW208"]


def test_a_title_in_a_group_of_two_syncs_is_one_finding() -> None:
    group = 'activities g { call logged title "{{ purpos }}" }'
    lines = lead(activities="use g")
    assert codes(group, lines, lines.replace("Lead", "Contact")) == ["CW208"]


def with_titles(rules: str, **titles: str) -> list[tuple[str, str, int, int]]:
    own = {name: Source(f"templates/{name}.j2", text) for name, text in titles.items()}
    checked = check([Source("a.sync", rules)], shipped_schema(), frozenset(titles), own)
    return [(d.code, d.span.source.path, *d.span.first) for d in checked.diagnostics]


def test_a_projects_own_template_is_checked_once_and_in_its_own_file() -> None:
    rules = lead(activities="call logged\nemail sent title from mine")
    rules += rules.replace("Lead", "Contact")
    found = with_titles(
        rules, call_logged="a\n {{ purpos }}", mine="{{ subject", email_sent="{{ x }}"
    )
    assert found == [
        ("CW208", "templates/call_logged.j2", 2, 5),
        ("CW208", "templates/mine.j2", 1, 1),
    ]


def test_an_own_template_that_nobody_uses_must_still_be_readable() -> None:
    found = with_titles(
        lead(activities="call logged off"), call_logged="{{ purpos }}", b="{% if %}"
    )
    assert found == [("CW208", "templates/b.j2", 1, 1)]


def test_plain_titles_need_no_template_engine() -> None:
    code = (
        "import sys; from tests.dsl.support import codes, lead\n"
        "text = 'call logged title \"[Call] {{ purpose }}: {{ disposition }}\"'\n"
        "assert codes(lead(activities=text, clauses='polling when Rating = \"Hot\"')) == []\n"
        "assert not {'jinja2', 're2'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
