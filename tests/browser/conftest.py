"""A real Chromium, headless, before a real `crosswalk serve` over both sandbox servers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.day import live_a_day, settled
from tests.browser.estate import Estate
from tests.browser.watched import Watched

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", metavar="DIR", help="take pictures of each page into a folder")


# The fixtures belong to the package and not to the session: while Playwright is there, its event
# loop runs in this thread, and other tests could not run one of their own.


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (on Debian: apt install chromium)")
    with playwright.sync_playwright() as started:
        # Root has no sandbox of its own, and the pages are ours.
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="package")
def estate(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    made = Estate(tmp_path_factory.mktemp("estate"))
    try:
        settled(made)
        live_a_day(made)
        yield made
    finally:
        made.close()


@pytest.fixture(scope="package")
def open_page(browser: Any, estate: Estate) -> Callable[..., Watched]:
    """Opens a browser of somebody's own; who logs in is known by the same cookie from then on."""
    known: dict[str, Any] = {}

    def opened(who: str = "ada", width: int = 1280, height: int = 900, **more: Any) -> Watched:
        if who and who not in known:
            known[who] = Watched(browser.new_context(base_url=estate.url)).log_in(who)
        cookies = {"storage_state": known[who]} if who else {}
        size = {"width": width, "height": height}
        context = browser.new_context(base_url=estate.url, viewport=size, **cookies, **more)
        return Watched(context)

    return opened


@pytest.fixture
def visit(open_page: Callable[..., Watched]) -> Iterator[Callable[..., Watched]]:
    """`open_page`, whose pages are closed after the test and may not have complained."""
    made = []

    def visiting(*args: Any, **more: Any) -> Watched:
        made.append(open_page(*args, **more))
        return made[-1]

    yield visiting
    for each in made:
        each.close()
    assert [complaint for each in made for complaint in each.complaints] == []


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Path:
    """Where pictures are kept."""
    folder = request.config.getoption("--pictures", None)
    if folder is None:
        pytest.skip("pictures are taken with --pictures DIR")
    made = Path(folder).resolve()
    made.mkdir(parents=True, exist_ok=True)
    return made
