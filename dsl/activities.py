"""Resolves activity lines: what each kind reads in Outreach, and writes in Salesforce."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dsl import program as p
from dsl import syntax as s
from dsl.conditions import resolve_condition
from dsl.diagnostics import Diagnostic, closest
from dsl.lines import LineContext, resolve_line
from dsl.names import Names
from dsl.paths import Scope
from dsl.schema import ObjectType, Schema, Side

__all__ = ["ACTIVITY_VARIABLES", "RESOURCES", "resolve_activities"]

# The Outreach resource that each kind's first word reads. Outreach publishes no schema of texts and
# meetings: a store that can tell of them does so in the shape that ships.
RESOURCES: dict[str, str] = {
    "email": "mailing",
    "call": "call",
    "task": "task",
    "text": "text",
    "meeting": "meeting",
}

# What an activity knows beyond its resource's own attributes.
ACTIVITY_VARIABLES = frozenset({"disposition", "purpose", "duration", "action"})

_TARGETS = ("Task", "Event")


@dataclass(frozen=True)
class ActivityContext:
    """What an activity line stands in."""

    schema: Schema
    names: Names
    linked: frozenset[tuple[str, str]]


def resolve_activities(
    block: s.ActivitiesBlock,
    context: ActivityContext,
    found: list[Diagnostic],
) -> tuple[p.ActivityRule, ...]:
    """The activity kinds of a sync, groups expanded. The block's own lines win over a group's."""
    own = {line.kind for line in block.lines if isinstance(line, s.ActivityLine)}
    taken: dict[str, s.Name] = {}
    rules: list[p.ActivityRule | None] = []
    for line in block.lines:
        if isinstance(line, s.ActivityLine):
            rules.append(_resolve(line, context, found))
            continue
        group = context.names.group_of_activities(line.name, found)
        lines = _not_taken(group.lines if group else (), line.name, own, taken, found)
        rules += [_resolve(each, context, found) for each in lines]
    return tuple(rule for rule in rules if rule is not None)


def _not_taken(
    lines: Sequence[s.ActivityLine],
    group: s.Name,
    own: set[str],
    taken: dict[str, s.Name],
    found: list[Diagnostic],
) -> list[s.ActivityLine]:
    """A group's lines, but for those that the block or an earlier group has."""
    left = []
    for line in lines:
        first = taken.setdefault(line.kind, group)
        if first is group and line.kind not in own:
            left.append(line)
        elif first is not group and first.text != group.text and line.kind not in own:
            message = f"`{line.kind}` stands in both groups, `{first.text}` and `{group.text}`"
            help_text = "write the line in the sync itself, and it wins over the groups"
            places = ((first.span, "the other group is used here"),)
            found.append(Diagnostic("CW103", message, group.span, help_text, related=places))
    return left


def _resolve(
    node: s.ActivityLine, context: ActivityContext, found: list[Diagnostic]
) -> p.ActivityRule | None:
    before = len(found)
    word = node.kind.partition(" ")[0]
    options = {type(option): option for option in reversed(node.options)}
    target = _target(node, options.get(s.Target), found)
    title = options.get(s.Title)
    text, template = None, node.kind.replace(" ", "_")
    if isinstance(title, s.Title):
        if title.name is not None and context.names.has_template(title.name, found):
            template = title.name.text
        text = str(title.text.value) if title.text else None
    outreach = context.schema.get(Side.OUTREACH, RESOURCES[word])
    on = options.get(s.Switch)
    if outreach is None and not (isinstance(on, s.Switch) and not on.on):
        message = f"Outreach has no `{RESOURCES[word]}`, so `{node.kind}` cannot be written"
        help_text = "turn it `off`, or take the line out"
        found.append(Diagnostic("CW201", message, node.span, help_text))
        return None
    salesforce = context.schema.get(Side.SALESFORCE, target) or ObjectType(
        Side.SALESFORCE, target, target, {}
    )
    scope = Scope(context.schema, salesforce, outreach, Side.OUTREACH, ACTIVITY_VARIABLES)
    when = options.get(s.When)
    condition = None
    if isinstance(when, s.When):
        condition = resolve_condition(when.condition, scope, found)
    origin = options.get(s.Origin)
    switch = options.get(s.Switch)
    failed = len(found) > before
    inner = LineContext(
        context.schema,
        context.names,
        salesforce,
        outreach,
        context.linked,
        ACTIVITY_VARIABLES,
        activity=True,
    )
    lines = [resolve_line(line, inner, found) for line in node.lines]
    if failed:
        return None
    return p.ActivityRule(
        node.span,
        node.kind,
        switch.on if isinstance(switch, s.Switch) else True,
        origin.origin if isinstance(origin, s.Origin) else "outreach",
        "Event" if target == "Event" else "Task",
        text,
        template,
        condition,
        tuple(line for line in lines if line is not None),
    )


def _target(node: s.ActivityLine, target: object, found: list[Diagnostic]) -> str:
    default = "Event" if node.kind.startswith("meeting") else "Task"
    if not isinstance(target, s.Target):
        return default
    name = target.name
    if name.text in _TARGETS:
        return name.text
    near = closest(name.text, _TARGETS)
    help_text = f"did you mean `{near}`?" if near else None
    message = f"an activity becomes a `Task` or an `Event`, not `{name.text}`"
    found.append(Diagnostic("CW201", message, name.span, help_text, near))
    return default
