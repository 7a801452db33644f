"""`python -m tests.sim SEED`: one history, told event by event."""

from __future__ import annotations

import sys

from tests.sim.play import play

if __name__ == "__main__":
    history = play(int(sys.argv[1]))
    print(history)
    sys.exit(1 if history.amiss else 0)
