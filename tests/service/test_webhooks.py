"""The webhooks of our own address: made, kept up and removed, and nobody else's touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cli.check import _look
from engine.cli.hooking import register_webhooks, remove_webhooks
from engine.cli.project import Project
from engine.config import ConfigError, read_config
from engine.model import Side
from engine.service import Service
from engine.subscribing import types_pushed
from tests.sandbox.outreach_client import Client
from tests.service.place import LEADS, PACE, until
from tests.service.wired import Wired, wired

S, O = Side.SALESFORCE, Side.OUTREACH  # noqa: E741
THEIRS = {"secret": "of somebody else"}
ELSEWHERE = "http://127.0.0.1:9/hooks/outreach"
QUIET = LEADS.replace("polling\n", "polling every 1 hour\n").replace(
    "pushing\n", "pushing every 1 hour\n"
)

ACCOUNTS = """sync Account <-> account {
    match Name = name
    pushing every 1 hour
    outbound update
    fields { Name <-> name prevent empty }
}
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wired]:
    with wired(tmp_path / "acme", QUIET, monkeypatch, toml='[webhooks]\nurl = "URL"') as found:
        yield found


@pytest.fixture
def client(world: Wired) -> Client:
    found = Client(world.servers[O].url)
    found.log_in()
    return found


def hooks(client: Client) -> dict[int, tuple[str, str, bool]]:
    """Resource, address and whether it is on, by id."""
    told = client.get("webhooks")["data"]
    return {
        int(each["id"]): tuple(each["attributes"][n] for n in ("resource", "url", "active"))
        for each in told
    }


def test_a_service_registers_its_address_and_an_edit_comes_by_it(
    world: Wired, client: Client
) -> None:
    others = client.make("webhook", url=ELSEWHERE, resource="prospect", **THEIRS)
    service = world.serve(Service(world.project, world.project.program(), pace=PACE))
    service.start()
    made = "Lead", None
    world.write(S, *made, LastName="Ng", Company="Acme", Email="ng@acme.co")
    service.run_now().result(60)
    ours = f"{world.public.url}/hooks/outreach"
    until(lambda: ("prospect", ours, True) in hooks(client).values())
    world.write(O, "prospect", 1, lastName="Li")
    until(lambda: world.value(S, "Lead", "LastName") == ["Li"])
    assert service.renew_webhooks().result(60) == []
    (mine,) = hooks(client).keys() - {others}
    client.change("webhook", mine, active=False)
    assert service.renew_webhooks().result(60) == [f"the webhook {mine} for prospect is renewed"]
    client.ask("DELETE", f"webhooks/{mine}")
    assert "is made" in service.renew_webhooks().result(60)[0]
    assert hooks(client)[others] == ("prospect", ELSEWHERE, True)
    assert len(hooks(client)) == 2
    text = world.project.ledger_path.read_bytes()
    secret = service.hook_secret()
    assert secret is not None
    assert secret.reveal().encode() not in text, "it is sealed"


def test_a_create_without_an_answer_is_not_made_twice(world: Wired, client: Client) -> None:
    service = world.serve(Service(world.project, world.project.program(), pace=PACE))
    service.open()
    ours = f"{world.public.url}/hooks/outreach"
    lost = client.make("webhook", url=ours, resource="prospect", **THEIRS)
    assert service.renew_webhooks().result(60) == [f"the webhook {lost} for prospect is renewed"]
    assert list(hooks(client)) == [lost]


def test_check_tells_what_is_missing_and_connect_makes_and_removes_it(
    world: Wired, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    others = client.make("webhook", url=ELSEWHERE, resource="prospect")

    def told() -> list[str]:
        return [each.advice for each in _look(world.project, O, []) if "calls" in each.what]

    (advice,) = told()
    assert "there is no webhook for prospect" in advice
    register_webhooks(world.project)
    register_webhooks(world.project)
    assert told() == [""]
    (mine,) = hooks(client).keys() - {others}
    client.change("webhook", mine, active=False)
    (advice,) = told()
    assert f"the webhook {mine} for prospect is turned off" in advice
    assert remove_webhooks(world.project) == 0
    assert list(hooks(client)) == [others]
    out = capsys.readouterr().out
    assert "a webhook for prospect is made" in out
    assert "are as they should be" in out
    assert f"the webhook {mine} for prospect is removed" in out


def test_other_rules_and_no_address_have_other_webhooks(world: Wired, client: Client) -> None:
    register_webhooks(world.project)
    rules = world.root / "rules" / "all.sync"
    rules.write_text(ACCOUNTS)
    register_webhooks(world.project)
    assert [each[0] for each in hooks(client).values()] == ["account"]
    config = world.root / "crosswalk.toml"
    config.write_text(config.read_text().partition("[webhooks]")[0])
    project = Project(read_config(world.root))
    service = world.serve(Service(project, project.program(), pace=PACE))
    service.open()
    assert "is removed" in service.renew_webhooks().result(60)[0]
    assert hooks(client) == {}
    assert service.renew_webhooks().result(60) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [("http://acme.com", "write https://"), ("acme", "write an address"), ("ftp://x", "address")],
)
def test_an_address_that_cannot_be_is_refused(tmp_path: Path, url: str, words: str) -> None:
    text = '[salesforce]\nstore = "local"\npath = "s.db"\n[outreach]\nstore = "local"\npath = "o"\n'
    (tmp_path / "crosswalk.toml").write_text(f'{text}[webhooks]\nurl = "{url}"\n')
    with pytest.raises(ConfigError, match=words):
        read_config(tmp_path)


def test_what_is_pushed_is_what_is_heard_of(world: Wired) -> None:
    assert types_pushed(world.project.program()) == {"prospect"}
