"""A page for each diagnostic code, from the table of codes and the code's own page."""

from __future__ import annotations

from dsl.codes import CODES, Code
from dsl.page_of_code import Page, load_page

__all__ = ["code_index", "code_pages"]

_GROUPS = {
    "1": "The text itself",
    "2": "Names, types and values",
    "3": "Rules that contradict each other or themselves",
    "4": "Rules that work and are not wise",
}

_ALLOWED = """\
Write a comment on the line before, with the reason:

```
# lint: allow {code} why it is right here
```

It silences `{code}` on the next line only. Without a reason it silences nothing."""

_NOT_ALLOWED = """\
It cannot be silenced. What it finds is left out of the rules, so that a silent one would be a rule
that does nothing."""


def code_pages() -> dict[str, str]:
    """The Markdown of each code's page. Raises `FileNotFoundError` for a code without one."""
    return {code.code: _page(code, load_page(code.code)) for code in CODES.values()}


def code_index() -> str:
    """A table of all codes for each group of them, with a link where there is a page."""
    return "\n".join(
        part
        for digit, title in _GROUPS.items()
        for part in (
            f"## {digit}xx: {title}\n",
            "| code | name | severity | finding |",
            "| --- | --- | --- | --- |",
            *(_row(c) for c in CODES.values() if c.code[2] == digit),
            "",
        )
    )


def _row(code: Code) -> str:
    return f"| [{code.code}]({code.code}.md) | `{code.name}` | {code.severity} | {code.summary} |"


def _page(code: Code, page: Page) -> str:
    silence = (_ALLOWED if code.silenceable else _NOT_ALLOWED).format(code=code.code)
    return "\n\n".join(
        (
            f"# {code.code} {code.name}",
            f"**{str(code.severity).capitalize()}**: {code.summary}.",
            f"## What it finds\n\n{page.what}",
            f"## Why it matters\n\n{page.why}",
            f"## Wrong\n\n{_example(page.bad, 'bad')}",
            f"## Right\n\n{_example(page.good, 'good')}",
            f"## How to silence it\n\n{silence}\n",
        )
    )


def _example(text: str, kind: str) -> str:
    return f"```{{code-block}} sync\n:class: {kind}\n\n{text.rstrip()}\n```"
