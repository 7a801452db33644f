"""How acts on local orgs are written, line by line: text only, no store."""

from __future__ import annotations

from engine.play.script import Act, Wrong, read_act, read_script
from engine.play.table import ACTS, HELP

__all__ = ["ACTS", "HELP", "Act", "Wrong", "read_act", "read_script"]
