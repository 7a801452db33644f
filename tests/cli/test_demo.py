"""The stories of `crosswalk demo` go as they are told, and end in peace."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
from pathlib import Path

import pytest
import requests
from crosswalk_docs.coverage import read_coverage

from engine.cli.stories import STORIES
from tests.cli.program import PROGRAM, crosswalk, environment

COVERAGE = Path(__file__).parents[2] / "docs" / "reference" / "coverage.toml"

#: What has to be told under which step, besides what the page on the configuration guide names.
TOLD = {
    "first": {
        "Lint and test": ["no findings", "passed"],
        "Plan": ["115 to create"],
        "Run": ["115 created"],
        "A conflict": ["Salesforce wins"],
        "Nothing left to do": ["nothing to write"],
    },
    "day": {
        "The evening": ["[Outreach] [Email] [Out] Good night", "8000 per day"],
    },
}


def by_step(text: str) -> dict[str, str]:
    """What a demo printed, by the title of the step that printed it."""
    parts = re.split(r"^\d+\. (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", list(STORIES))
def test_a_story_goes_as_it_is_told_and_keeps_its_project(name: str, tmp_path: Path) -> None:
    answer = crosswalk(tmp_path, "demo", "kept", "--story", name)
    assert answer.code == 0, answer.err
    told = by_step(answer.out)
    assert list(told) == [step.title for step in STORIES[name].steps]
    wanted = [(step, words) for step, each in TOLD[name].items() for words in each]
    wanted += [
        (point.demo.removeprefix(f"{name}: "), point.shows)
        for row in read_coverage(COVERAGE.read_text(encoding="utf-8"))
        for point in row.points
        if point.demo.startswith(f"{name}: ")
    ]
    assert [(step, words) for step, words in wanted if words not in told[step]] == []
    counts = crosswalk(tmp_path / "kept", "run", "--format", "json").json["counts"]
    assert not any(count for key, count in counts.items() if key != "skipped")


def test_the_command_that_the_demo_ends_with_opens_the_console_on_its_data(tmp_path: Path) -> None:
    told = crosswalk(tmp_path, "demo", "kept here").out.splitlines()[-1]
    assert told == "Open the console on this data: crosswalk --project 'kept here' serve"
    words = [*shlex.split(told.partition("crosswalk ")[2]), "--port", "0"]
    served = subprocess.Popen(
        [*PROGRAM, *words], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        assert served.stdout is not None
        url = served.stdout.readline().split()[-1]
        assert requests.get(f"{url}/types", timeout=30).status_code == 200
        links = requests.get(f"{url}/api/v1/links?limit=500", timeout=30).json()["links"]
        listed = crosswalk(tmp_path, "--project", "kept here", "links", "--format", "json").out
        assert len(links) == len(json.loads(listed)["links"]) > 100
        served.send_signal(signal.SIGINT)
        assert served.wait(30) == 130
    finally:
        served.kill()
        served.communicate()
