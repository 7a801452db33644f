"""The scenarios of `tests/engine/test_lives.py` over HTTP."""

from tests.engine.test_lives import *  # noqa: F403
