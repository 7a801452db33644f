"""Finds the field that a name or dotted path of a rule means, or says why there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dsl import syntax as s
from dsl.diagnostics import Diagnostic, closest
from dsl.program import FieldRef
from dsl.schema import Field, Kind, ObjectType, Schema, Side
from dsl.source import Span

__all__ = ["SEQUENCE_FIELDS", "Scope", "find_field", "resolve_path", "title_of"]

# What `sequence.…` reads on a prospect: its current sequence state.
SEQUENCE_FIELDS = {
    "id": Kind.NUMBER,
    "name": Kind.TEXT,
    "status": Kind.TEXT,
    "active": Kind.BOOLEAN,
    "step_number": Kind.NUMBER,
    "step_type": Kind.TEXT,
    "task_due": Kind.DATETIME,
    "user_salesforce_id": Kind.TEXT,
}

_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Scope:
    """What the paths of one condition or expression can read.

    `default` is the side that a path without a prefix reads; None: the side that has the name. A
    type of None is one that no schema knows, so every name is taken at its word. `variables` are
    further names of the default side. With `only`, the other side's prefix may not be used.
    """

    schema: Schema
    salesforce: ObjectType | None
    outreach: ObjectType | None
    default: Side | None
    variables: frozenset[str] = frozenset()
    only: bool = False

    def type(self, side: Side) -> ObjectType | None:
        return self.salesforce if side is Side.SALESFORCE else self.outreach


@dataclass(frozen=True, slots=True)
class _Missing:
    """Why there is no such field: which of the path's names is wrong, and what might be meant."""

    at: int
    message: str
    suggestion: str | None = None
    help: str | None = None


_UNKNOWN = Field("", "", Kind.UNKNOWN, "unknown")


def title_of(side: Side) -> str:
    return side.value.capitalize()


def find_field(schema: Schema, owner: ObjectType | None, names: tuple[str, ...]) -> Field | None:
    """The field at the end of a path; None if there is none."""
    found = _find(schema, owner, names, 0)
    return found if isinstance(found, Field) else None


def resolve_path(path: s.Path, scope: Scope, found: list[Diagnostic]) -> FieldRef | None:
    """The field that a path means in a scope; None, and a finding, if there is none."""
    names = tuple(name.text for name in path.names)
    side, skipped = scope.default, 0
    if len(names) > 1 and names[0] in ("salesforce", "outreach"):
        side, skipped = Side(names[0]), 1
        if scope.only and side is not scope.default:
            found.append(_wrong_side(path, side))
            return None
    rest = names[skipped:]
    if side is None:
        side = _side_that_has(scope, rest)
    field = _find(scope.schema, scope.type(side), rest, 0)
    if isinstance(field, _Missing) and rest[0] in scope.variables and side is scope.default:
        field = _UNKNOWN
    if isinstance(field, _Missing):
        found.append(_unknown(path, skipped, side, field, scope))
        return None
    many = field.kind is Kind.LIST and field.many
    return FieldRef(
        path.span,
        side,
        rest[0] if len(rest) == 1 else ".".join(rest),
        field.kind,
        field.references if field.kind is Kind.REFERENCE or many else (),
        field.vendor_type == "email",
        field.filterable,
        field.vendor_type,
    )


def _side_that_has(scope: Scope, names: tuple[str, ...]) -> Side:
    for side in (Side.SALESFORCE, Side.OUTREACH):
        owner = scope.type(side)
        if (owner is not None and names[0] in owner.fields) or isinstance(
            _find(scope.schema, owner, names, 0), Field
        ):
            return side
    return Side.SALESFORCE


# -- looking ------------------------------------------------------------------------------------


def _find(
    schema: Schema, owner: ObjectType | None, names: tuple[str, ...], at: int
) -> Field | _Missing:
    """The field of `names[at:]` from `owner` on."""
    if owner is None or not owner.fields or at > _DEEPEST:
        return _UNKNOWN
    name = names[at]
    if at == len(names) - 1:
        return owner.fields.get(name) or _without(schema, owner, name, at)
    if owner.name == "prospect" and name == "sequence":
        return _sequence(names, at)
    reference = owner.by_relationship(name)
    if reference is None:
        if schema.trusts(owner.side, name):
            return _UNKNOWN
        return _no_reference(owner, name, at)
    if reference.many:
        message = f"`{name}` of `{owner.name}` is many records, and a path reads through one"
        return _Missing(at, message)
    return _through(schema, owner.side, reference, names, at + 1)


def _without(schema: Schema, owner: ObjectType, name: str, at: int) -> Field | _Missing:
    if schema.trusts(owner.side, name):
        return _UNKNOWN
    known = owner.by_relationship(name)
    if known is not None:
        return _Missing(
            at,
            f"`{name}` is a reference of `{owner.name}`, not a field",
            known.name,
            f"write `{known.name}`, or a field of what it points to, such as `{name}.Name`",
        )
    if owner.name == "prospect" and name == "sequence":
        help_text = "write one of its parts, such as `sequence.name`"
        return _Missing(at, "`sequence` is not a field by itself", "sequence.name", help_text)
    return _Missing(at, f"`{owner.name}` has no field `{name}`", closest(name, owner.fields))


def _sequence(names: tuple[str, ...], at: int) -> Field | _Missing:
    word = ".".join(names[at + 1 :])
    if word in SEQUENCE_FIELDS:
        return Field(word, word, SEQUENCE_FIELDS[word], "sequence", createable=False)
    help_text = "there are " + ", ".join(f"`sequence.{known}`" for known in SEQUENCE_FIELDS)
    near = closest(word, SEQUENCE_FIELDS)
    return _Missing(at + 1, f"a prospect's `sequence` has no `{word}`", near, help_text)


def _no_reference(owner: ObjectType, name: str, at: int) -> _Missing:
    field = owner.fields.get(name)
    if field is not None and field.relationship:
        message = f"a path reads through `{field.relationship}`, not through `{name}`"
        return _Missing(at, message, field.relationship)
    if field is not None:
        return _Missing(at, f"`{name}` of `{owner.name}` is not a reference, so it has no parts")
    words = [f.relationship for f in owner.fields.values() if f.relationship]
    return _Missing(at, f"`{owner.name}` has no reference `{name}`", closest(name, words))


def _through(
    schema: Schema, side: Side, reference: Field, names: tuple[str, ...], at: int
) -> Field | _Missing:
    """The field on what a reference points to; on any of the types, if it may be several."""
    fields: list[Field] = []
    missing: list[_Missing] = []
    for name in reference.references:
        target = schema.get(side, name)
        if target is None:
            fields.append(_UNKNOWN)
            continue
        found = _find(schema, target, names, at)
        if isinstance(found, Field):
            fields.append(found)
        else:
            missing.append(found)
    certain = [f for f in fields if f.kind is not Kind.UNKNOWN]
    if certain and all(f.kind is certain[0].kind for f in certain):
        # A query sees only the name of what may be of several types.
        seen = len(reference.references) == 1 or names[at:] == ("Name",)
        return certain[0] if seen else replace(certain[0], filterable=False)
    if fields or not missing:
        return _UNKNOWN
    return next((m for m in missing if m.suggestion), missing[0])


# -- saying -------------------------------------------------------------------------------------


def _unknown(path: s.Path, skipped: int, side: Side, why: _Missing, scope: Scope) -> Diagnostic:
    names = path.names[skipped:]
    span = names[min(why.at, len(names) - 1)].span
    if why.suggestion:
        help_text = why.help or f"did you mean `{why.suggestion}`?"
        return Diagnostic("CW202", why.message, span, help_text, why.suggestion)
    return Diagnostic("CW202", why.message, span, why.help or _elsewhere(path, side, scope))


def _elsewhere(path: s.Path, side: Side, scope: Scope) -> str | None:
    """A hint where the other side has the name."""
    names = tuple(n.text for n in path.names)
    other = scope.type(side.other)
    if other is None or names[0] in ("salesforce", "outreach"):
        return None
    # A custom name is taken at its word on any side: it is no hint.
    if names[0] not in other.fields and other.by_relationship(names[0]) is None:
        return None
    if find_field(scope.schema, other, names) is None:
        return None
    has = f"`{path.text}` is a field of {title_of(side.other)}'s `{other.name}`"
    if scope.only:
        return f"{has}: Salesforce is on the left of the arrow, Outreach on the right"
    return f"{has}: write `{side.other.value}.{path.text}`"


def _wrong_side(path: s.Path, side: Side) -> Diagnostic:
    where = "right" if side is Side.OUTREACH else "left"
    span: Span = path.span
    return Diagnostic(
        "CW202",
        f"`{path.text}` stands on the wrong side: {title_of(side)} is on the {where}",
        span,
        "a field line reads one side's record and writes the other's",
    )
