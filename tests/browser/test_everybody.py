"""Everybody can use the console: by axe, by keyboard, without a script, narrow, enlarged, still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.model import Side
from tests.browser.day import BERTHA
from tests.browser.estate import PASSWORD, Estate
from tests.browser.watched import Watched

Visit = Callable[..., Watched]
PAGES = (
    "/types", "/types/Lead%3C-%3Eprospect", "/limits", "/activity", "/logs?status=conflict",
    "/logs?since=soon", "/plan", "/explain",
    f"/explain?type=Lead&id={BERTHA}", "/review",
)  # fmt: skip
_LANDMARKS = """() => [document.querySelectorAll('main').length,
    document.querySelectorAll('header nav[aria-label]').length,
    document.querySelectorAll('[role=status]').length > 0]"""
_TOO_WIDE = """() => [...document.querySelectorAll('body *')]
    .filter((each) => !each.closest('.scroll, pre, .hidden, .skip'))
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
    .map((each) => each.outerHTML.slice(0, 120))"""
_MOVING = """() => [...document.querySelectorAll('*')].filter((each) => {
    const style = getComputedStyle(each);
    return style.animationName !== 'none' || style.transitionDuration !== '0s';
}).map((each) => each.outerHTML)"""
_FOCUS = """() => {
    const at = document.activeElement;
    const style = getComputedStyle(at);
    return [at.textContent.trim(), style.outlineStyle, style.outlineWidth];
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(visit: Visit, theme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    # What is dark differs in its colours alone.
    options = {} if theme == "light" else {"runOnly": ["color-contrast"]}
    found: list[tuple[str, str, str]] = []
    for who, paths in (("ada", (*PAGES, "/nowhere")), ("", ("/login",))):
        watched = visit(who, color_scheme=theme, reduced_motion="reduce")
        watched.expected |= {400, 404}
        for path in paths:
            page = watched.go(path)
            violations = axe.run(page, options=options).response["violations"]
            found += [(path, each["id"], each["nodes"][0]["html"]) for each in violations]
            nav = 0 if path in ("/login", "/nowhere") else 1
            assert page.evaluate(_LANDMARKS) == [1, nav, True], path
    assert found == []


@pytest.mark.parametrize(("width", "scale"), [(320, 1), (640, 2)])
def test_nothing_is_wider_than_a_narrow_or_enlarged_window(
    visit: Visit, width: int, scale: int
) -> None:
    watched = visit(width=width, height=800, device_scale_factor=scale)
    watched.expected.add(400)
    for path in PAGES:
        page = watched.go(path)
        page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate(_TOO_WIDE) == [], path


def test_nothing_moves_for_who_wants_it_still(visit: Visit) -> None:
    page = visit(reduced_motion="reduce").go("/types")
    assert page.evaluate(_MOVING) == []


def test_all_is_done_with_the_keyboard_alone(visit: Visit, estate: Estate) -> None:
    watched = visit("")
    page = watched.go("/login")
    _tab_to(page, "Name")
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/types")
    page.keyboard.press("Tab")
    assert page.evaluate(_FOCUS)[0] == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.goto("/types")
    _tab_to(page, "Plan")
    page.keyboard.press("Enter")
    page.wait_for_url("**/plan")
    estate.edit(Side.SALESFORCE, "Lead", BERTHA, City="Tallahassee by the sea")
    _tab_to(page, "Make a plan")
    page.keyboard.press("Enter")
    watched.see("Tallahassee by the sea")
    _tab_to(page, "Approve and carry out")
    page.keyboard.press("Enter")
    watched.see("Approved by ada: done")


def _tab_to(page: Any, name: str) -> None:
    """Press Tab until what bears the name has the focus; whatever has it on the way shows so."""
    for _ in range(60):
        page.keyboard.press("Tab")
        text, style, width = page.evaluate(_FOCUS)
        assert (style, width) == ("solid", "3px"), text
        label = page.evaluate("document.activeElement.labels?.[0]?.textContent || ''")
        if name in (text, label):
            return
    raise AssertionError(f"Tab does not lead to {name}")


def test_all_is_done_without_a_script(visit: Visit, estate: Estate) -> None:
    watched = visit("", java_script_enabled=False)
    watched.expected.add(400)
    page = watched.go("/login")
    page.fill("#name", "ada")
    page.fill("#password", PASSWORD)
    page.click("form.login button")
    page.wait_for_url("**/types")
    for path in PAGES:
        assert watched.go(path).locator("h1").count() == 1
    estate.edit(Side.SALESFORCE, "Lead", BERTHA, City="Tampa by the bay")
    page.goto("/plan")
    page.click("text=Make a plan")
    watched.see("Tampa by the bay")  # the page asks again by itself, every three seconds
    page.click("text=Approve and carry out")
    watched.see("Approved by ada: done")
    prospect = estate.linked("Lead", BERTHA)
    assert estate.value(Side.OUTREACH, "prospect", prospect, "addressCity") == "Tampa by the bay"
