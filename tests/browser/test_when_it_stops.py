"""A service that stops is told of, and pages go on by themselves once it is there again."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.estate import Estate
from tests.browser.watched import Watched


def test_a_stopped_server_is_told_of_until_it_is_back(
    visit: Callable[..., Watched], estate: Estate
) -> None:
    watched = visit()
    page = watched.go("/types")
    watched.keep()
    estate.stop()
    watched.see("The connection is lost. Trying again…", within="body")
    assert watched.kept
    watched.complaints.clear()  # a browser's own words on the connection
    estate.start()
    page.wait_for_url("**/login")  # sessions end with the service
    watched.complaints.clear()
    assert page.locator("#lost").inner_text() == ""
