"""A refusal of the OAuth endpoints."""

from __future__ import annotations

from starlette.responses import Response

from engine.sandbox.salesforce.wire import answer

__all__ = ["OAuthError"]


class OAuthError(Exception):
    """Answered as `{"error", "error_description"}` with the status 400."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error, self.description = error, description

    def answer(self) -> Response:
        """The answer to the request that was refused."""
        return answer({"error": self.error, "error_description": self.description}, 400)
