"""Who may use the console, and for what."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.watched import Watched

Visit = Callable[..., Watched]


def test_who_has_not_logged_in_sees_nothing_until_the_password_is_right(visit: Visit) -> None:
    watched = visit("")
    watched.expected.add(401)
    page = watched.go("/review")
    assert page.url.endswith("/login")
    page.fill("#name", "ada")
    page.fill("#password", "wrong")
    page.press("#password", "Enter")
    watched.see("This name and this password do not belong together")
    assert page.locator("nav").count() == 0
    assert page.input_value("#name") == "ada"
    page.fill("#password", "correct horse battery")
    page.press("#password", "Enter")
    page.wait_for_url("**/types")
    page.click("text=Log out ada")
    page.wait_for_url("**/login")
    assert watched.go("/types").url.endswith("/login")


def test_who_may_look_sees_plans_and_approves_none(visit: Visit) -> None:
    watched = visit("bob")
    watched.expected.add(403)
    page = watched.go("/plan")
    page.click("text=Make a plan")
    watched.see("The plan of ")
    for path in ("/plan", "/review"):
        page.goto(path)
        forms = [form.get_attribute("action") for form in page.locator("form").all()]
        assert not {"/run", "/plan/approve", "/review/retry", "/review/resume"} & set(forms)
    page.goto("/plan")
    # As if bob had written the form himself.
    page.evaluate(
        "document.querySelector('form[action=\"/plan\"]').setAttribute('action', '/plan/approve')"
    )
    page.click("text=Make a plan")
    watched.see("Your role is `look`, and this takes `approve`")
