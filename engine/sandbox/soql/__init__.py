"""SOQL over a local org: a text is parsed, checked against the org's describe, and asked."""

from __future__ import annotations

from datetime import datetime

from engine.sandbox.soql.answers import Answer, Asking, answer_of
from engine.sandbox.soql.errors import SoqlError
from engine.sandbox.soql.groups import groups_of, is_grouped
from engine.sandbox.soql.parse import parse
from engine.sandbox.soql.values import Reader
from engine.stores.local import LocalOrg

__all__ = ["Answer", "SoqlError", "query"]


def query(org: LocalOrg, text: str, *, deleted: bool = False, api: str = "v60.0") -> Answer:
    """Ask a Salesforce org a query; `deleted` also sees deleted and merged records (`queryAll`).

    `api` is the version in the records' addresses. Raises `SoqlError`.
    """
    tree = parse(text)
    reader = Reader(text, lambda: datetime.fromisoformat(org.now()).date())
    asking = Asking(org.file, text, api, reader, deleted)
    return groups_of(asking, tree) if is_grouped(tree) else answer_of(asking, tree)
