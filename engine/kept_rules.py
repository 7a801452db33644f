"""Keeps what the rules of each run say, from which the activity history tells how they changed."""

from __future__ import annotations

from dsl.changes import facts_as_json
from dsl.facts import facts
from dsl.program import Program
from engine.ledger import Ledger
from engine.shipped import title_texts

__all__ = ["keep_rules"]


def keep_rules(program: Program, ledger: Ledger) -> None:
    """Keep what the rules say, if they have not run before."""
    digest = program.digest
    if not ledger.knows_rules(digest):
        shipped = title_texts()
        own = {
            name: source
            for name, source in program.titles.items()
            if source.text.removesuffix("\n") != shipped.get(name)
        }
        ledger.keep_rules(digest, facts_as_json(facts(program.sources, own)))
