"""The scenarios of `tests/engine/test_undo.py` over HTTP."""

from tests.engine.test_undo import *  # noqa: F403
