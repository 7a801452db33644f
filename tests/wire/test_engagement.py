"""The scenarios of `tests/engine/test_engagement.py` over HTTP."""

from tests.engine.test_engagement import *  # noqa: F403
