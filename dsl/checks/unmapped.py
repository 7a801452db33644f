"""CW412: values of the connected org's picklists that a map leaves out."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.diagnostics import Diagnostic
from dsl.passes import Project
from dsl.picklists import drifts, uses_of_maps

__all__ = ["unmapped_values"]


def unmapped_values(project: Project) -> Iterator[Diagnostic]:
    """One finding for each map. Each org has its own values: only a live schema knows them."""
    if not project.schema.complete:
        return
    pairs = [view.pair for view in project.views]
    for users in uses_of_maps(pairs, project.schema).values():
        via = users[0].line.via
        new = [d for d in drifts(via, users) if d.what == "new"] if via is not None else []
        if via is None or not new:
            continue
        values = ", ".join(f"`{each.value}`" for each in new)
        where = " and ".join(dict.fromkeys(use.name for each in new for use in each.uses))
        message = f"`{via.name}` has no pair for {values} of {where}: it goes no further"
        renamed = [f"`{each.near}` may be `{each.value}` now" for each in new if each.near]
        help_text = "; ".join(renamed) or "add a pair, or say with `otherwise` what becomes of it"
        related = ((new[0].uses[0].line.span, "the map is used here"),)
        yield Diagnostic("CW412", message, via.span, help_text, related=related)
