"""Conditions in the rules' language, asked of the records of a local org."""

from __future__ import annotations

from datetime import UTC, datetime

from dsl.evaluate import Context, evaluate
from dsl.lint import check
from dsl.program import Condition
from dsl.schema import shipped_schema
from dsl.source import Source
from engine.columns import fields_in
from engine.model import Row, Value
from engine.ports import StoreError
from engine.stores.local.org import OrgFile

__all__ = ["Filter", "read_condition"]


class Filter:
    """Whether a row of a Salesforce type fulfils a condition; `fields` are what it reads."""

    def __init__(self, org: OrgFile, type_name: str, text: str | None) -> None:
        """Read the condition; None lets all through. Raises `StoreError`."""
        self._condition = None if text is None else read_condition(type_name, text)
        refs = fields_in(self._condition) if self._condition is not None else ()
        self.fields = list(dict.fromkeys(ref.path for ref in refs))
        self._now = datetime.fromisoformat(org.now()).astimezone(UTC)

    def __call__(self, row: Row) -> bool:
        if self._condition is None:
            return True
        values: dict[str, Value] = dict(zip(self.fields, row[2:], strict=True))
        # Nothing here was ever synced: all of it has changed.
        context = Context(lambda ref: values[ref.path], lambda _ref: True, self._now)
        return evaluate(self._condition, context)


def read_condition(type_name: str, text: str) -> Condition:
    """A condition in the rules' language, of a Salesforce type. Raises `StoreError`."""
    rules = f"sync {type_name} <-> prospect {{ polling when\n{text}\n}}"
    checked = check([Source("the condition", rules)], shipped_schema(), frozenset())
    # Which values a picklist has, the org decides for itself.
    errors = [found for found in checked.diagnostics if found.is_error and found.code != "CW205"]
    pairs = checked.program.pairs
    condition = pairs[0].toggle("polling").when if len(pairs) == 1 else None
    if errors or condition is None:
        why = errors[0].message if errors else "it is no condition"
        raise StoreError(f"the condition `{text}` cannot be read: {why}")
    return condition
