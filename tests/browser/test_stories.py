"""What people do with the console, in a browser: edits, plans, conflicts, holds and limits."""

from __future__ import annotations

import re
from collections.abc import Callable

from engine.model import Side
from tests.browser.day import BERTHA, PHYLLIS, clash
from tests.browser.estate import Estate, until
from tests.browser.watched import Watched

Visit = Callable[..., Watched]


def test_an_edit_in_outreach_shows_without_a_reload(visit: Visit, estate: Estate) -> None:
    prospect = estate.linked("Lead", BERTHA)
    watched = visit()
    page = watched.go("/logs?status=updated&type=Lead")
    before = page.locator("tbody tr").first.get_attribute("id")
    watched.keep()
    estate.edit(Side.OUTREACH, "prospect", prospect, title="Head of Everything")
    row = f"tbody tr:first-child:not([id='{before}'])"
    assert BERTHA in page.locator(row).inner_text()
    assert watched.kept
    assert estate.value(Side.SALESFORCE, "Lead", BERTHA, "Title") == "Head of Everything"


def test_a_plan_is_looked_at_approved_and_carried_out_once(visit: Visit, estate: Estate) -> None:
    estate.edit(Side.SALESFORCE, "Lead", BERTHA, Company="Farmers <b>Coop</b> & Sons")
    before = len(estate.log(status="plan approved"))
    watched = visit()
    page = watched.go("/plan")
    page.select_option("#plan-type", "Lead")
    page.click("text=Make a plan")
    watched.see("Farmers <b>Coop</b> & Sons")
    prospect = "prospect", estate.linked("Lead", BERTHA), "company"
    assert estate.value(Side.OUTREACH, *prospect) != "Farmers <b>Coop</b> & Sons"
    page.dblclick("text=Approve and carry out")
    watched.see("Approved by ada: done; 1 updated")
    assert estate.value(Side.OUTREACH, *prospect) == "Farmers <b>Coop</b> & Sons"
    assert page.locator("td.bad").count() == 0
    assert len(estate.log(status="plan approved")) == before + 1


def test_a_conflict_is_shown_with_both_values_and_its_winner(visit: Visit, estate: Estate) -> None:
    watched = visit()
    page = watched.go("/review")
    watched.keep()
    clash(estate, BERTHA, "Treasurer", "Cashier")
    row = page.locator("#conflicts ~ div tbody tr", has_text="Treasurer")
    row.wait_for()
    cells = [cell.inner_text() for cell in row.locator("td").all()]
    assert cells[2:] == ["title", "Treasurer", "Cashier", "Outreach"]
    assert watched.kept
    row.get_by_role("link").click()
    watched.see("Salesforce has 'Treasurer', Outreach has 'Cashier'; Outreach won")


def test_what_is_held_is_mended_and_let_go_on(visit: Visit, estate: Estate) -> None:
    lead, taken = PHYLLIS, "taken@example.com"
    other = estate.create(Side.OUTREACH, "prospect", lastName="Stranger", emails=[taken])
    estate.edit(Side.SALESFORCE, "Lead", lead, Email=taken)
    watched = visit()
    watched.go("/plan").click("text=Run now")
    page = watched.go("/review")
    card = page.locator("article", has_text=f"Lead {lead}")
    card.wait_for()
    assert "has already been taken" in card.locator("blockquote").inner_text()
    estate.edit(Side.OUTREACH, "prospect", other, emails=["stranger@example.com"])
    card.get_by_role("button", name="Try again").click()
    card.wait_for(state="detached")
    held = estate.value(Side.OUTREACH, "prospect", estate.linked("Lead", lead), "emails")
    assert taken in str(held)


def test_what_cannot_be_linked_is_told_beside_the_record(visit: Visit, estate: Estate) -> None:
    twins = [
        estate.create(Side.SALESFORCE, "Lead", LastName=name, Company="Twin", Email="t@win.co")
        for name in ("Castor", "Pollux")
    ]
    watched = visit()
    watched.go("/plan").click("text=Run now")
    page = watched.go("/review")
    card = page.locator("article", has_text=f"Lead {twins[0]}")
    card.wait_for()
    card.get_by_label("Link to prospect").fill("999999")
    card.get_by_role("button", name="Link", exact=True).click()
    card.locator(".trouble").wait_for()
    assert "there is no Outreach prospect 999999" in card.locator(".trouble").inner_text()
    with estate.org(Side.SALESFORCE) as org:
        for twin in twins:
            org.delete("Lead", twin)


def test_a_limit_is_reached_shown_and_released(visit: Visit, estate: Estate) -> None:
    watched = visit()
    page = watched.go("/limits")
    watched.keep()
    told = page.locator(".budget", has_text="Salesforce own").locator(".big").inner_text()
    used = int(re.sub(r"\D", "", told.partition("of")[0]))
    estate.limits(salesforce=used + 1, outreach=9000)
    watched.see(f"of {used + 1:,} calls used")
    estate.edit(Side.OUTREACH, "prospect", estate.linked("Lead", BERTHA), title="Waits for calls")
    watched.see("What waits for calls")
    assert estate.value(Side.SALESFORCE, "Lead", BERTHA, "Title") != "Waits for calls"
    estate.limits(salesforce=8000, outreach=9000)
    watched.see_no_more("What waits for calls")
    until(
        lambda: estate.value(Side.SALESFORCE, "Lead", BERTHA, "Title") == "Waits for calls",
        "what waited goes on",
    )
    assert watched.kept
