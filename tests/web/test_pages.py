"""Each page says what the ledger says, and can be read by everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from lxml import html
from starlette.testclient import TestClient

from dsl.values import stamp
from engine.ledger import Pending
from engine.ledger.logbook import log_rows
from engine.ledger.looking import Filters, linked
from engine.model import Side, Write
from engine.service.desk import Desk
from tests.web.served import Served

PAGES = [
    "/types", "/types/Lead%3C-%3Eprospect", "/limits", "/activity", "/logs", "/plan", "/explain",
    "/review",
]  # fmt: skip


def a_link(service: Served) -> dict[str, Any]:
    with service.looking() as ledger:
        return next(iter(list(ledger.rows(linked(Filters(type="Lead", limit=1))))))


def csrf(client: TestClient, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def troubles(page: str) -> list[str]:
    """What a screen reader or a keyboard would stumble over, as axe has it."""
    tree = html.document_fromstring(page)
    return [*_landmarks(tree), *_names(tree), *_tables(tree), *_inline(tree)]


def _landmarks(tree: Any) -> Iterator[str]:
    if not tree.get("lang"):
        yield "no language"
    for landmark in ("header", "main", "head/title", "h1"):
        if len(tree.findall(f".//{landmark}")) != 1:
            yield f"not one {landmark}"
    levels = [int(each.tag[1]) for each in tree.xpath("//h1 | //h2 | //h3 | //h4")]
    yield from ("headings skip" for a, b in pairwise(levels) if b > a + 1)


def _names(tree: Any) -> Iterator[str]:
    ids = [each.get("id") for each in tree.iterfind(".//*[@id]")]
    yield from (f"id {each} twice" for each in {i for i in ids if ids.count(i) > 1})
    labels = {each.get("for") for each in tree.iterfind(".//label")}
    for field in tree.xpath("//input[not(@type='hidden')] | //select | //textarea"):
        inside = any(parent.tag == "label" for parent in field.iterancestors())
        if not (inside or field.get("id") in labels or field.get("aria-label")):
            yield f"no label for {field.get('name')}"
    for each in tree.xpath("//button | //a"):
        if not each.text_content().strip():
            yield f"no words in {each.tag}"
    for each in tree.xpath("//*[@aria-labelledby or @aria-describedby]"):
        named = (each.get("aria-labelledby") or each.get("aria-describedby")).split()
        yield from (f"no {name}" for name in named if name not in ids)
    yield from ("an image without words" for each in tree.iterfind(".//img") if not each.get("alt"))


def _tables(tree: Any) -> Iterator[str]:
    for table in tree.iterfind(".//table"):
        if table.find("caption") is None or not table.xpath(".//thead//th[@scope='col']"):
            yield "a table without caption or heads"


def _inline(tree: Any) -> Iterator[str]:
    inline = tree.xpath("//style | //script[not(@src)] | //*[@style] | //*[@onclick]")
    yield from (f"inline {each.tag}" for each in inline)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_there_and_can_be_read_by_everybody(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert troubles(answer.text) == []


def test_types_tell_what_flows_where(client: TestClient, service: Served) -> None:
    page = html.document_fromstring(client.get("/types").text)
    card = page.xpath("//article[.//h2[contains(., 'Lead ↔ prospect')]]")[0]
    words = " ".join(card.text_content().split())
    with service.looking() as ledger:
        links = len(list(ledger.rows(linked(Filters(type="Lead")))))
    lead = next(p for p in service.program().pairs if p.name == "Lead<->prospect")
    assert f"Mapped fields{len(lead.lines)}" in words
    assert f"Linked{links}" in words
    assert "Polling is on every 10 minutes" in words


def test_a_type_shows_its_rule_as_it_is_written(client: TestClient, service: Served) -> None:
    page = html.document_fromstring(client.get("/types/Lead%3C-%3Eprospect").text)
    lead = next(p for p in service.program().pairs if p.name == "Lead<->prospect")
    for each in page.xpath("//span[@class='number']"):
        each.drop_tree()
    code = page.xpath("//pre[@class='code']")[0].text_content()
    assert code.strip() == lead.span.text.strip()
    assert lead.span.place in page.text_content()
    assert "lead_status" in page.text_content()


def test_logs_filter_and_page_and_export(client: TestClient, service: Served) -> None:
    with service.looking() as ledger:
        rows = list(ledger.rows(log_rows(Filters())))
    assert len(rows) > 100
    first = html.document_fromstring(client.get("/logs").text)
    older = first.xpath("//a[@rel='next']/@href")[0]
    seen = [first, html.document_fromstring(client.get(older).text)]
    shown = sum(len(page.xpath("//table//tbody/tr")) for page in seen)
    assert shown == min(len(rows), 200)
    link = a_link(service)
    one = client.get("/logs", params={"type": "Lead", "id": link["salesforce_id"]})
    assert link["salesforce_id"] in one.text
    assert client.get("/logs", params={"search": "no such words"}).text.count("<tr>") == 2
    exported = client.get("/logs/export?form=csv").text.splitlines()
    assert exported[0].startswith("timestamp,status,message")
    assert len(exported) == len(rows) + 1
    assert len(client.get("/logs/export?form=json").json()["rows"]) == len(rows)
    assert client.get("/logs?since=soon").status_code == 400


def test_explain_tells_what_each_field_would_do(client: TestClient, service: Served) -> None:
    link = a_link(service)
    page = client.get("/explain", params={"type": "Lead", "id": link["salesforce_id"]})
    assert page.status_code == 200
    assert f"prospect {link['outreach_id']}" in page.text
    assert troubles(page.text) == []
    missing = client.get("/explain", params={"type": "Lead", "id": "00Q000000000000AAA"})
    assert missing.status_code == 404


def test_a_plan_is_made_shown_and_carried_out(client: TestClient, service: Served) -> None:
    link = a_link(service)
    edit = Write(link["salesforce_id"], {"Title": "Queen <of> Hearts"})
    service.do(lambda desk: desk.stores[Side.SALESFORCE].write("Lead", [edit]))
    token = csrf(client, "/plan")
    assert client.post("/plan", data={"csrf": token, "type": ""}).status_code == 303
    service.do()
    page = client.get("/plan").text
    assert "Queen &lt;of&gt; Hearts" in page
    assert troubles(page) == []
    name = html.document_fromstring(page).xpath("//input[@name='plan']/@value")[0]
    assert client.post("/plan/approve", data={"csrf": token, "plan": name}).status_code == 303
    service.do()
    told = client.get("/plan").text
    assert "Approved by" in told
    assert "done; 1 updated" in told
    assert client.get("/plan/graph.svg").text.startswith("<svg")


def test_a_plan_that_is_rejected_is_gone(client: TestClient, service: Served) -> None:
    token = csrf(client, "/plan")
    client.post("/plan", data={"csrf": token})
    service.do()
    name = client.get("/api/v1/plan").json()["plan"]
    client.post("/plan/reject", data={"csrf": token, "plan": name})
    service.do()
    assert f"{name} was rejected by" in client.get("/logs").text
    assert client.get("/api/v1/plan").status_code == 404


def test_review_shows_what_is_held_and_lets_it_go(client: TestClient, service: Served) -> None:
    link = a_link(service)
    waits = Pending("Lead<->prospect", Side.SALESFORCE, link["salesforce_id"], "refused", "", "",
                    "Outreach said <no>")  # fmt: skip
    service.do(lambda desk: hold(desk, waits))
    page = client.get("/review").text
    assert "Outreach said &lt;no&gt;" in page
    assert troubles(page) == []
    token = csrf(client, "/review")
    form = {"csrf": token, "type": "Lead", "id": link["salesforce_id"]}
    assert client.post("/review/retry", data=form).status_code == 303
    service.do()
    assert "Outreach said" not in client.get("/review").text


def hold(desk: Desk, waits: Any) -> None:
    """As a commit of a refused write would."""
    with desk.ledger._driver() as connection:
        connection.execute(
            "INSERT INTO pending VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*waits[:3], waits[3], waits[4], waits[5], waits[6], "x", stamp(datetime.now(UTC))),
        )


def test_rules_that_were_not_loaded_are_told(client: TestClient, service: Served) -> None:
    before = service._board.rules
    service._board.rules = replace(before, findings=("rules/leads.sync:3: no such field `Nam`",))
    try:
        assert "no such field `Nam`" in client.get("/types").text
    finally:
        service._board.rules = before
