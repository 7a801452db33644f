"""`crosswalk run --wait` where Outreach itself has no requests left this hour."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.cli.served import LEADS, acme


def test_it_says_until_when_it_waits_and_ctrl_c_ends_it_cleanly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with acme(tmp_path, monkeypatch, outreach={"hourly_limit": 22}) as at:
        naps = []

        def nap(seconds: float) -> None:
            naps.append(seconds)
            os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does

        monkeypatch.setattr("engine.cli.writing.sleep", nap)
        before = signal.getsignal(signal.SIGINT)
        ran = at.type("run", "--wait")
        assert signal.getsignal(signal.SIGINT) is before
        assert ran.code == 130
        assert len(naps) == 1
        assert "waits for Outreach's own limit of 22 requests an hour until" in ran.err
        assert "goes on at" in ran.err
        assert "stopped; the next run goes on from here" in ran.err
        leads, made = at.held()
        assert (leads, made < LEADS) == (LEADS, True)
        without = at.type("run")
        assert without.code == 1
        assert "later runs carry on" in without.err
        assert at.held() == (LEADS, made)
