"""CW407: stages go both ways and through a map."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import syntax as s
from dsl.checks.flows import ends, plain, words
from dsl.diagnostics import Diagnostic
from dsl.passes import Project, SyncView
from dsl.program import FieldRef, Line, Pair
from dsl.source import Span

__all__ = ["loose_opportunity_stages", "loose_stages"]


def loose_stages(view: SyncView) -> Iterator[Diagnostic]:
    """A prospect's stage that is mapped without `via`, or one way where the sync goes both."""
    lines = [line for line in view.pair.lines if _is_stage(line, view.pair)]
    inbound = any(line.inbound for line in lines)
    outbound = any(line.outbound for line in lines)
    for number, line in enumerate(lines):
        if line.via is None and not _only_tells(line, lines):
            yield _without_via(line, "pair them in `stages NAME { … }`, and add `via NAME`")
        elif number == 0 and not line.once and view.whole:
            if not outbound and _goes(view.pair, "outbound"):
                yield _one_way(line, "a stage that is set in Outreach never reaches Salesforce")
            elif not inbound and _goes(view.pair, "inbound"):
                yield _one_way(line, "a status that is set in Salesforce never reaches Outreach")


def loose_opportunity_stages(project: Project) -> Iterator[Diagnostic]:
    """An opportunity's stage without `via`, unless Salesforce's stages are synced themselves.

    It only comes in, as opportunities do.
    """
    for view in project.views:
        if view.pair.outreach.name != "opportunity":
            continue
        for line in view.pair.lines:
            loose = line.via is None and _refers(plain(line.outreach), "opportunityStage")
            if loose and plain(line.salesforce) and project.whole and not _syncs_stages(project):
                yield _without_via(line, _SYNC_THEM)


def _syncs_stages(project: Project) -> bool:
    items = (item for module in project.modules for item in module.items)
    return any(isinstance(i, s.Sync) and i.outreach.text == "opportunityStage" for i in items)


# -- which lines --------------------------------------------------------------------------------


def _is_stage(line: Line, pair: Pair) -> bool:
    """Whether a line maps a stage from field to field, or writes a lead's status from one."""
    left, right = plain(line.salesforce), line.outreach
    if left is None or not isinstance(right, FieldRef):
        return False
    if _refers(plain(right), "stage"):
        return True
    status = pair.salesforce.name == "Lead" and left.path == "Status"
    return status and right.path == "stage.name"


def _refers(end: FieldRef | None, name: str) -> bool:
    return end is not None and name in end.references


def _only_tells(line: Line, lines: list[Line]) -> bool:
    """Whether a line copies out a stage that another line maps."""
    return not line.inbound and any(each.via and each.inbound for each in lines)


def _goes(pair: Pair, way: str) -> bool:
    watched = pair.toggle("polling" if way == "inbound" else "pushing").on
    return watched and (pair.toggle(f"{way} create").on or pair.toggle(f"{way} update").on)


# -- saying -------------------------------------------------------------------------------------


_SYNC_THEM = "pair them in `values NAME { … }` and add `via NAME`, or sync `OpportunityStage` too"


def _without_via(line: Line, help_text: str) -> Diagnostic:
    text = words(ends(line))
    message = f"`{text}` has no `via`: only what is spelled alike on both sides goes over"
    return Diagnostic("CW407", message, ends(line), help_text)


def _one_way(line: Line, consequence: str) -> Diagnostic:
    left, right = line.salesforce.span, line.outreach.span
    start = left.source.text.index(line.arrow, left.end, right.start)
    arrow = Span(left.source, start, start + len(line.arrow))
    message = f"`{words(ends(line))}` goes one way only: {consequence}"
    return Diagnostic("CW407", message, arrow, "write `<->`", "<->")
