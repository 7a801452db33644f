"""CW401, CW404 and CW405: what is better left to Salesforce."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import syntax as s
from dsl.checks.flows import clause_of
from dsl.diagnostics import Diagnostic
from dsl.fixes import Edit, Fix
from dsl.passes import Project, SyncView

__all__ = ["idle_fallback", "outbound_opportunity", "risky_create"]


def risky_create(view: SyncView) -> Iterator[Diagnostic]:
    """Outbound create on what Salesforce guards with checks of its own."""
    name = view.pair.salesforce.name
    clause = clause_of(view, "outbound create") if name in ("Account", "Opportunity") else None
    if clause is not None:
        message = f"an `{name}` that is created from Outreach gets past Salesforce's own checks"
        help_text = f"let each `{name}` be created in Salesforce, and turn this off"
        yield Diagnostic("CW401", message, clause.name_span, help_text, fix=_off(clause))


def outbound_opportunity(view: SyncView) -> Iterator[Diagnostic]:
    """Any other toggle that writes opportunities. Their contact roles are another type."""
    if view.pair.salesforce.name != "Opportunity":
        return
    for name in ("outbound update", "outbound delete"):
        clause = clause_of(view, name)
        if clause is not None:
            message = f"`{name}` writes to `Opportunity`, and opportunities are inbound only"
            help_text = "let opportunities be changed in Salesforce, and turn this off"
            yield Diagnostic("CW404", message, clause.name_span, help_text, fix=_off(clause))


def idle_fallback(project: Project) -> Iterator[Diagnostic]:
    """`fallback association`, where a sync of opportunities knows better."""
    synced = [v.node for v in project.views if v.pair.salesforce.name == "Opportunity"]
    if not synced:
        return
    for view in project.views:
        clause = clause_of(view, "fallback association")
        if clause is not None:
            message = (
                "`fallback association` guesses an activity's opportunity, which the sync of "
                "`Opportunity` knows"
            )
            related = ((synced[0].salesforce.span, "opportunities are synced here"),)
            yield Diagnostic(
                "CW405", message, clause.name_span, "turn it off", fix=_off(clause), related=related
            )


def _off(clause: s.Toggle) -> Fix:
    return Fix(f"turn `{clause.name}` off", (Edit(clause.span, f"{clause.name} off"),))
