"""What holds for all tests: time fails none, and commands start as quickly as for a user."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, settings

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Where Python is told to keep no compiled modules, each command that a test runs would compile the
# whole program anew. They are kept apart, so that the checkout stays as it is.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["PYTHONPYCACHEPREFIX"] = str(Path(__file__).parent.parent / ".pytest_cache" / "pycache")
