"""A page that notes what it should not have to: errors, what the policy forbids, other hosts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.browser.estate import PASSWORD

__all__ = ["Watched"]


class Watched:
    """One page in a context of its own; `complaints` are what it noted."""

    def __init__(self, context: Any) -> None:
        self.context = context
        self.page = context.new_page()
        self.page.set_default_timeout(30_000)
        self.complaints: list[str] = []
        self.expected: set[int] = set()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{error}"))
        self.page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type not in ("error", "warning"):
            return
        if not any(f"status of {status}" in message.text for status in self.expected):
            self.complaints.append(f"{self.page.url}: {message.type}: {message.text}")

    def _request(self, request: Any) -> None:
        host = urlsplit(request.url).netloc
        if host and host != urlsplit(self.page.url).netloc and self.page.url != "about:blank":
            self.complaints.append(f"{self.page.url} asks {request.url}")

    def go(self, path: str) -> Any:
        """Go to a path; the page."""
        self.page.goto(path)
        return self.page

    def log_in(self, who: str, password: str = PASSWORD) -> Any:
        """Log in with the form; what of the browser is kept, to be somebody again."""
        self.go("/login")
        self.page.fill("#name", who)
        self.page.fill("#password", password)
        self.page.click("text=Log in >> nth=-1")
        self.page.wait_for_url("**/types")
        state = self.context.storage_state()
        self.context.close()
        return state

    def keep(self) -> None:
        """Mark the page, to see later that it was not loaded anew."""
        self.page.evaluate("window.kept = true")

    @property
    def kept(self) -> bool:
        return bool(self.page.evaluate("window.kept === true"))

    def see(self, text: str, within: str = "main") -> Any:
        """Wait until a text is there to be seen; its place."""
        found = self.page.locator(within).get_by_text(text).first
        found.wait_for(state="visible")
        return found

    def see_no_more(self, text: str, within: str = "main") -> None:
        """Wait until a text is not there any more."""
        self.page.locator(within).get_by_text(text).first.wait_for(state="detached")

    def close(self) -> None:
        self.context.close()
