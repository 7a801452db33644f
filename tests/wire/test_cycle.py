"""The scenarios of `tests/engine/test_cycle.py` over HTTP."""

from tests.engine.test_cycle import *  # noqa: F403
