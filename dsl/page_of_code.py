"""The page of documentation that each code has: what it finds, why, a bad example, a good one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dsl.codes import CODES, Code

__all__ = ["PAGES", "Page", "load_page"]

PAGES = Path(__file__).parent / "pages"

_SECTION = re.compile(r"^## (\w+)\n", re.MULTILINE)
_FENCE = re.compile(r"\A```sync\n(.*)^```\Z", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """`what` and `why` are Markdown; `bad` and `good` are rule files, each whole.

    `lint` finds the code, and nothing else, in the bad one, and nothing in the good one.
    """

    what: str
    why: str
    bad: str
    good: str

    def text(self, code: Code) -> str:
        """The whole page as Markdown, with how to silence the finding."""
        return "\n\n".join(
            [
                f"# {code.code} {code.name}",
                f"{str(code.severity).capitalize()}: {code.summary}.",
                f"## What\n\n{self.what}",
                f"## Why\n\n{self.why}",
                f"## Bad\n\n```sync\n{self.bad}```",
                f"## Good\n\n```sync\n{self.good}```",
                f"## To silence it\n\n{_silencing(code)}",
            ]
        )


def _silencing(code: Code) -> str:
    if not code.silenceable:
        return "It cannot be silenced: what it finds would be left out of what runs."
    return (
        "Write why it is right, on a line of its own above the one that it is about:\n\n"
        f"```sync\n# lint: allow {code.code} because …\n```"
    )


def load_page(code: str) -> Page:
    """The page of a code of `dsl.codes`. Raises `KeyError` if there is no such code."""
    text = (PAGES / f"{CODES[code].code}.md").read_text(encoding="utf-8")
    _, *pieces = _SECTION.split(text)
    sections = dict(zip(pieces[::2], (piece.strip() for piece in pieces[1::2]), strict=True))
    return Page(
        sections["What"], sections["Why"], _example(sections["Bad"]), _example(sections["Good"])
    )


def _example(section: str) -> str:
    fence = _FENCE.match(section)
    if fence is None:
        raise ValueError(f"an example is one block of `sync`, not: {section[:80]}")
    return fence[1]
