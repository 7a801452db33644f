"""Why records wait, and who lets them go on: one table for commands, the service and the console.

The names are those of `engine.ledger.schema.pending`.
"""

from __future__ import annotations

__all__ = ["HELD", "LETS_GO", "RESUMES", "RETRIES", "REVIEWED", "VANISHED", "WHYS"]

#: Why records wait, in words.
WHYS = {
    "reference": "for another record",
    "transient": "to be tried again",
    "refused": "refused",
    "review": "for review",
    "paused": "swings to and fro",
    "budget": "for calls",
}
#: What waits for a person, or for the other side to change its mind, as lists of that tell it.
HELD = {
    "review": "for review",
    "paused": "swings to and fro",
    "refused": "refused",
    "transient": "refused for the moment",
}
#: That, and deletions that are held since too many came at once.
REVIEWED = {**HELD, "vanished": "gone all at once"}
RETRIES = frozenset({"refused", "transient"})
RESUMES = frozenset({"review", "resumed", "paused"})
#: Deletions that were held since too many came at once, once somebody lets them go on.
VANISHED = frozenset({"resumed"})
#: What each command lets go on.
LETS_GO = {"retry": RETRIES, "resume": RESUMES}
