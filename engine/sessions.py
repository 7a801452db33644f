"""Sessions of `requests` that send what they are told to, and nothing that this machine adds."""

from __future__ import annotations

import requests

__all__ = ["Sober"]


class Sober(requests.Session):
    """Takes proxies and certificates from the environment, but no password from a `.netrc`.

    A redirect is an answer like any other: nothing is sent to where it leads.
    """

    def __init__(self) -> None:
        super().__init__()
        self.auth = _as_it_is
        self.headers["User-Agent"] = "crosswalk"

    def get_redirect_target(self, _response: requests.Response) -> None:
        return None


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
