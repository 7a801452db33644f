"""A service lives through faults of every kind without leaks, doubles, losses or noise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.soak import soaked


def assert_all_well(seed: int, minutes: float, root: Path, environ: pytest.MonkeyPatch) -> None:
    found = soaked(seed, minutes, root / "acme", environ)
    assert not found.amiss, str(found)


@pytest.mark.parametrize("seed", [0])
def test_a_simulated_minute_ends_well(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_all_well(seed, 1, tmp_path, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 6))
def test_half_an_hour_ends_well(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_all_well(seed, 30, tmp_path, monkeypatch)
