"""The scenarios of `tests/engine/test_upserts.py` over HTTP."""

from tests.engine.test_upserts import *  # noqa: F403
