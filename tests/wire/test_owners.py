"""The scenarios of `tests/engine/test_owners.py` over HTTP."""

from tests.engine.test_owners import *  # noqa: F403
