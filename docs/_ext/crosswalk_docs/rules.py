"""A page for each stock rule file, as it ships."""

from __future__ import annotations

from collections.abc import Mapping

from dsl.source import Source

__all__ = ["rule_pages"]


def rule_pages(files: Mapping[str, Source]) -> dict[str, str]:
    """The Markdown of each file's page, by the file's name without its ending."""
    return {name.removesuffix(".sync"): _page(name, file.text) for name, file in files.items()}


def _page(name: str, text: str) -> str:
    return f"# {name}\n\n```{{code-block}} sync\n:linenos:\n\n{text.rstrip()}\n```\n"
