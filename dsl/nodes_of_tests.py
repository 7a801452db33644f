"""The nodes of tests in rule files, apart from those of the rules that they test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

from dsl.source import Span
from dsl.terms import Ago, Literal, Moment, Name

__all__ = ["Change", "Expectation", "Given", "Record", "RecordField", "Test"]


@dataclass(frozen=True, slots=True)
class RecordField:
    """`Email: "rose@edge.com"`."""

    span: Span
    name: Name
    value: Literal | Moment | Ago


@dataclass(frozen=True, slots=True)
class Record:
    """`Lead { Email: "rose@edge.com" }`."""

    span: Span
    type: Name
    fields: tuple[RecordField, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """`given RECORD linked RECORD …`; the first record comes first."""

    span: Span
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """`when RECORD`: a change to it."""

    span: Span
    record: Record


@dataclass(frozen=True, slots=True)
class Expectation:
    """`expect RECORD`, `expect no TYPE`, `expect conflict on FIELD`, `expect no conflict`."""

    span: Span
    what: OneOf["record", "no record", "conflict", "no conflict"]
    record: Record | None = None
    name: Name | None = None


@dataclass(frozen=True, slots=True)
class Test:
    """`test "…" { given … when … expect … }`, statements in the order of the file."""

    __test__ = False  # not a test class for pytest

    span: Span
    title: Literal
    statements: tuple[Given | Change | Expectation, ...]
