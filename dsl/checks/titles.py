"""CW208: titles of activities that cannot be rendered, or name what the activity does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dsl import program as p
from dsl.activities import ACTIVITY_VARIABLES, RESOURCES
from dsl.checks.strings import STRING, inside, part
from dsl.checks.templates import Problem, Variable, read_template
from dsl.diagnostics import Diagnostic, closest
from dsl.passes import Project, SyncView
from dsl.paths import find_field
from dsl.schema import Kind, ObjectType, Schema, Side
from dsl.source import Span

__all__ = ["title_files", "titles"]


def titles(view: SyncView) -> Iterator[Diagnostic]:
    """Titles written in activity lines, and what the project's own templates name there."""
    for rule in view.pair.activities:
        if rule.title is not None:
            yield from _written(rule, rule.title, view.schema)
        elif rule.on and rule.template in view.titles:
            source = view.titles[rule.template]
            related = ((rule.span, f"it is the title of `{rule.kind}` here"),)
            for wrong in _unknown(source.text, rule.kind, view.schema):
                yield _finding(wrong, Span(source, wrong.start, wrong.end), related)


def title_files(project: Project) -> Iterator[Diagnostic]:
    """The project's own templates, used or not."""
    for view in project.views[:1]:
        for source in view.titles.values():
            for wrong in read_template(source.text).problems:
                yield _finding(wrong, Span(source, wrong.start, wrong.end))


def _written(rule: p.ActivityRule, title: str, schema: Schema) -> Iterator[Diagnostic]:
    wrong = [*read_template(title).problems, *_unknown(title, rule.kind, schema)]
    literal = _literal(rule.span) if wrong else None
    for each in wrong:
        if literal is None:
            yield _finding(each, rule.span)
        elif (each.start, each.end) == (0, len(title)):
            yield _finding(each, inside(literal))
        else:
            yield _finding(each, part(literal, each.start, each.end))


_TITLE = re.compile(rf"\btitle(?:\s|#[^\n]*\n)+({STRING})|{STRING}|#[^\n]*")


def _literal(line: Span) -> Span | None:
    """The title in an activity line."""
    for found in _TITLE.finditer(line.text):
        if found[1]:
            start, end = found.span(1)
            return line._replace(start=line.start + start, end=line.start + end)
    return None


def _finding(wrong: Problem, span: Span, related: tuple[tuple[Span, str], ...] = ()) -> Diagnostic:
    return Diagnostic("CW208", wrong.message, span, wrong.help, wrong.near, related=related)


# -- variables ----------------------------------------------------------------------------------


def _unknown(text: str, kind: str, schema: Schema) -> Iterator[Problem]:
    """Variables that an activity of a kind does not have, as far as its fields are known."""
    activity = schema.get(Side.OUTREACH, RESOURCES[kind.partition(" ")[0]])
    for variable in read_template(text).variables if activity else ():
        wrong = _missing(variable, kind, activity, schema) if activity else None
        if wrong is not None:
            yield wrong


def _missing(variable: Variable, kind: str, activity: ObjectType, schema: Schema) -> Problem | None:
    root = variable.names[0]
    field = activity.fields.get(root)
    if field is None and root not in ACTIVITY_VARIABLES:
        near = closest(root, [*activity.fields, *ACTIVITY_VARIABLES])
        others = ", ".join(f"`{name}`" for name in sorted(ACTIVITY_VARIABLES))
        known = f"it has the fields of Outreach's `{activity.name}`, and {others}"
        message = f"`{kind}` has no variable `{root}`"
        return Problem(*variable.at(0), message, _meant(near) or known, near)
    if field is None or field.kind is not Kind.REFERENCE or len(variable.names) < 2:
        return None
    if find_field(schema, activity, variable.names[:2]) is not None:
        return None
    targets = [found for name in field.references if (found := schema.get(Side.OUTREACH, name))]
    name = variable.names[1]
    near = closest(name, [known for target in targets for known in target.fields])
    message = f"`{root}` of `{kind}` has no `{name}`"
    return Problem(*variable.at(1), message, _meant(near), near)


def _meant(near: str | None) -> str | None:
    return f"did you mean `{near}`?" if near else None
