"""What a prospect's `sequence.…` reads, which Outreach keeps in records of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.model import Value
from engine.ports import StoreError
from engine.stores.outreach.lists import Document, Lists
from engine.stores.outreach.paths import Included, Resource, included_of

__all__ = ["Sequences"]

#: States in which a prospect's way through a sequence broke off.
_BROKEN = ("failed", "bounced", "opted_out", "disabled")
_FINISHED = "finished"
_ASKED = [
    ("fields[sequenceState]", "prospect,sequence,sequenceStep,state,user"),
    ("include", "sequence,sequenceStep"),
    ("fields[sequence]", "name"),
    ("fields[sequenceStep]", "order,stepType"),
]
_TASKS = [("fields[task]", "completed,dueAt,sequenceState")]


@dataclass
class Sequences:
    """Reads the current sequence state of prospects.

    It is the newest one, one that still runs before any that broke off. One that has finished is
    left behind, and its prospect is in no sequence.
    """

    lists: Lists

    def of(self, prospects: Sequence[int], paths: Sequence[str]) -> dict[int, dict[str, Value]]:
        """The values of `paths` by prospect, as long as there are any paths."""
        if not paths or not prospects:
            return {}
        found = self.lists.of_values("sequenceState", "prospect][id", prospects, _ASKED)
        states = _current(found)
        due = self._due([state for state, _ in states.values()], paths)
        return {
            prospect: {path: _value(states.get(prospect), due, path) for path in paths}
            for prospect in prospects
        }

    def moved(self, since: str) -> list[int]:
        """The prospects whose sequence states changed since a stamp."""
        asked = [
            ("filter[updatedAt]", f"{since}..inf"),
            ("sort", "updatedAt"),
            ("fields[sequenceState]", "prospect,updatedAt"),
        ]
        pages = self.lists.all("sequenceState", asked)
        found = (_one(state, "prospect") for page in pages for state in page["data"])
        return sorted({prospect for prospect in found if prospect is not None})

    def _due(self, states: Sequence[Resource], paths: Sequence[str]) -> dict[int, str]:
        """When the first open task of a sequence state is due, by its id."""
        ids = [int(state["id"]) for state in states]
        if "sequence.task_due" not in paths or not ids:
            return {}
        due: dict[int, str] = {}
        for document in self.lists.of_values("task", "sequenceState][id", ids, _TASKS):
            for task in document["data"]:
                at, state = task["attributes"].get("dueAt"), _one(task, "sequenceState")
                if at and state is not None and not task["attributes"].get("completed"):
                    due[state] = min(due.get(state, at), at)
        return due


def _current(documents: Sequence[Document]) -> dict[int, tuple[Resource, Included]]:
    found: dict[int, tuple[Resource, Included]] = {}
    for document in documents:
        included = included_of(document)
        for state in document["data"]:
            prospect = _one(state, "prospect")
            if prospect is None or state["attributes"].get("state") == _FINISHED:
                continue
            known = found.get(prospect)
            if known is None or _rank(known[0]) < _rank(state):
                found[prospect] = state, included
    return found


def _rank(state: Resource) -> tuple[bool, int]:
    return state["attributes"].get("state") not in _BROKEN, int(state["id"])


def _one(resource: Resource, name: str) -> int | None:
    data = (resource["relationships"].get(name) or {}).get("data")
    return int(data["id"]) if isinstance(data, dict) else None


def _value(found: tuple[Resource, Included] | None, due: dict[int, str], path: str) -> Value:
    word = path.partition(".")[2]
    if found is None:
        return False if word == "active" else None
    state, included = found

    def along(name: str, attribute: str) -> Any:
        record = _one(state, name)
        other = included.get((name, record)) if record is not None else None
        return other["attributes"].get(attribute) if other is not None else None

    values = {
        "id": _one(state, "sequence"),
        "name": along("sequence", "name"),
        "status": state["attributes"].get("state"),
        "active": state["attributes"].get("state") == "active",
        "step_number": along("sequenceStep", "order"),
        "step_type": along("sequenceStep", "stepType"),
        "task_due": due.get(int(state["id"])),
        "user": _one(state, "user"),
        # Only links tell who this is in Salesforce; a rule's line goes by them, from `user`.
        "user_salesforce_id": None,
    }
    if word not in values:
        raise StoreError(f"a prospect's `sequence` has no `{word}`: {', '.join(values)}")
    return values[word]
