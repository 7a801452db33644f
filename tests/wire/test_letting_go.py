"""The scenarios of `tests/engine/test_letting_go.py` over HTTP."""

from tests.engine.test_letting_go import *  # noqa: F403
