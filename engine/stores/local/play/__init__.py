"""What salespeople do all day, done on local orgs: mails, calls, meetings, sequences.

`engine.play` reads a script, a `Stage` does it. Each act is one transaction of its org, and leaves
behind what its vendor would: stamps, states and counts that no edit may write.
"""

from __future__ import annotations

from engine.stores.local.play.stage import Done, Failed, Stage
from engine.stores.local.play.tasks import mark_complete

__all__ = ["Done", "Failed", "Stage", "mark_complete"]
