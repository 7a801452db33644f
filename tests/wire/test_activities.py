"""The scenarios of `tests/engine/test_activities.py` over HTTP."""

from tests.engine.test_activities import *  # noqa: F403
