"""Checks the types and fields that the tests in rule files name."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import syntax as s
from dsl.checks.values import recorded_values
from dsl.diagnostics import Diagnostic, closest
from dsl.schema import ObjectType, Schema, Side

__all__ = ["check_test"]


def check_test(test: s.Test, schema: Schema) -> Iterator[Diagnostic]:
    """CW201, CW202, CW205 and CW103 for the records of a test."""
    for statement in test.statements:
        match statement:
            case s.Given():
                for record in statement.records:
                    yield from _check_record(record, schema)
            case s.Change():
                yield from _check_record(statement.record, schema)
            case s.Expectation(record=s.Record() as record):
                yield from _check_record(record, schema)
            case s.Expectation(what="no record", name=s.Name() as name):
                if not _is_known(name, schema):
                    yield _unknown(name, schema)


def _type(name: s.Name, schema: Schema) -> ObjectType | None:
    for side in Side:
        known = schema.get(side, name.text)
        if known is not None:
            return known
    return None


def _is_known(name: s.Name, schema: Schema) -> bool:
    return schema.trusts(Side.SALESFORCE, name.text) or _type(name, schema) is not None


def _unknown(name: s.Name, schema: Schema) -> Diagnostic:
    near = closest(name.text, [known for side in Side for known in schema.names(side)])
    help_text = f"did you mean `{near}`?" if near else None
    message = f"neither Salesforce nor Outreach has a type `{name.text}`"
    return Diagnostic("CW201", message, name.span, help_text, near)


def _check_record(record: s.Record, schema: Schema) -> Iterator[Diagnostic]:
    seen: dict[str, s.Name] = {}
    for field in record.fields:
        first = seen.setdefault(field.name.text, field.name)
        if first is not field.name:
            message = f"`{field.name.text}` stands twice in one record"
            places = ((first.span, "first here"),)
            yield Diagnostic("CW103", message, field.name.span, related=places)
    owner = _type(record.type, schema)
    if owner is None:
        if not _is_known(record.type, schema):
            yield _unknown(record.type, schema)
        return
    for name in seen.values():
        if name.text in owner.fields or schema.trusts(owner.side, name.text):
            continue
        near = closest(name.text, owner.fields)
        help_text = f"did you mean `{near}`?" if near else None
        message = f"`{owner.name}` has no field `{name.text}`"
        yield Diagnostic("CW202", message, name.span, help_text, near)
    yield from recorded_values(record, owner, schema)
