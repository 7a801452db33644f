"""The files of `deploy/` name what is there: commands, addresses and figures."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from engine.cli.notify import notify
from engine.service.metrics import Metrics
from tests.cli.program import PROGRAM, environment

DEPLOY = Path(__file__).parents[2] / "deploy"


def unit() -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=None, strict=False)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read(DEPLOY / "crosswalk.service")
    return found


def image() -> dict[str, str]:
    """The last line of each instruction of the Containerfile."""
    text = (DEPLOY / "Containerfile").read_text()
    return dict(re.findall(r"^([A-Z]+) (.+)$", text, re.MULTILINE))


def commands() -> list[list[str]]:
    started = shlex.split(unit()["Service"]["ExecStart"])
    return [started[1:], json.loads(image()["CMD"])[1:]]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_the_command_is_one_that_the_program_takes(words: list[str], tmp_path: Path) -> None:
    answer = subprocess.run(
        [*PROGRAM, *words],
        cwd=tmp_path,
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 2
    assert "there is no crosswalk.toml" in answer.stderr  # and nothing about the words


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    copy = tmp_path / "crosswalk.service"
    text = (DEPLOY / "crosswalk.service").read_text()
    # Neither the program nor its user need be installed here.
    text = text.replace("/opt/crosswalk/bin/crosswalk", "/bin/true").replace("User=crosswalk\n", "")
    copy.write_text(text)
    answer = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], check=False, capture_output=True, text=True
    )
    assert [line for line in answer.stderr.splitlines() if "crosswalk.service" in line] == []


def test_systemd_is_told_that_the_service_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert unit()["Service"]["Type"] == "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "s"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "s"))
        notify("READY=1")
        assert listening.recv(100) == b"READY=1"


def test_alert_rules_ask_for_figures_that_there_are() -> None:
    told = set(re.findall(r"^# TYPE (\S+)", Metrics().text().decode(), re.MULTILINE))
    asked = set(re.findall(r"crosswalk_\w+", (DEPLOY / "alerts.yml").read_text()))
    assert asked
    assert asked <= told
