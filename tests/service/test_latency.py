"""How soon an edit in Outreach is in Salesforce, with the rules and settings of `crosswalk init`.

Under 5 seconds by a webhook, and under 20 by polling. What the schedule promises is counted; how
long it takes on a busy machine fails no test.
"""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from engine.model import Direction, Side
from engine.service import Pace, Service, Step
from engine.service.schedule import _JITTER, intervals
from engine.shipped import RULES
from tests.service.place import until
from tests.service.wired import Wired, wired

S, O = Side.SALESFORCE, Side.OUTREACH  # noqa: E741
PROSPECTS = Step("Lead<->prospect", Direction.OUTBOUND)
WORK = timedelta(seconds=3)  # that a cycle over what one edit made due may take
BY_WEBHOOK, BY_POLLING = timedelta(seconds=5), timedelta(seconds=20)


def stock() -> str:
    """The rules that `crosswalk init` writes."""
    return "\n".join(file.read_text("utf-8") for file in sorted(RULES.glob("*.sync")))


def begun(world: Wired) -> Service:
    """A service at work, and a lead that has its prospect."""
    service = world.serve(Service(world.project, world.project.program()))
    service.start()
    world.write(S, "Lead", None, LastName="Ng", Company="Acme", Email="ng@acme.co")
    service.run_now().result(120)
    assert world.value(O, "prospect", "lastName") == ["Ng"]
    return service


def test_an_edit_comes_at_once_by_a_webhook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: pytest.RecordProperty
) -> None:
    rules = stock().replace("pushing\n", "pushing every 1 hour\n")
    with wired(tmp_path / "a", rules, monkeypatch, toml='[webhooks]\nurl = "URL"') as world:
        service = begun(world)
        service.renew_webhooks().result(120)
        until(lambda: not service.state().running and not service._agenda._due)
        waits: list[float] = []
        hint = service._agenda.hint

        def hinted(steps: list[Step]) -> None:
            hint(steps)
            waits.append(service._agenda._due[PROSPECTS] - time.monotonic())

        service._agenda.hint = hinted  # type: ignore[method-assign, assignment]
        began = time.monotonic()
        world.write(O, "prospect", 1, lastName="Li")
        until(lambda: world.value(S, "Lead", "LastName") == ["Li"])
        record_property("seconds", round(time.monotonic() - began, 1))
        assert waits[0] <= Pace().debounce, "a hint makes its steps due a moment later"
        assert timedelta(seconds=Pace().debounce) + WORK < BY_WEBHOOK


@pytest.mark.long
def test_an_edit_comes_by_polling_without_any_webhook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: pytest.RecordProperty
) -> None:
    with wired(tmp_path / "a", stock(), monkeypatch) as world:
        begun(world)
        began = time.monotonic()
        world.write(O, "prospect", 1, lastName="Li")
        until(lambda: world.value(S, "Lead", "LastName") == ["Li"])
        record_property("seconds", round(time.monotonic() - began, 1))


def test_every_push_of_the_stock_rules_is_due_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with wired(tmp_path / "a", stock(), monkeypatch) as world:
        every = intervals(world.project.program())
    pushes = {step: each for step, each in every.items() if step.direction is Direction.OUTBOUND}
    assert PROSPECTS in pushes
    assert max(pushes.values()) * (1 + _JITTER) + WORK < BY_POLLING
