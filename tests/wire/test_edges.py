"""The scenarios of `tests/engine/test_edges.py` over HTTP."""

from tests.engine.test_edges import *  # noqa: F403
