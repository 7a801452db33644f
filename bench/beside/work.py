"""What every reader and writer beside ours shares: logging in, and telling what it took."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from time import perf_counter, process_time

import requests

__all__ = ["FIELDS", "outreach_token", "salesforce_token", "tell"]

FIELDS = (
    "Id,SystemModstamp,FirstName,LastName,Email,Title,Company,Phone,City,State,PostalCode,Country,"
    "LeadSource,Status,IsConverted"
)
_APP = {"client_id": "sandbox-app", "client_secret": "sandbox-app-secret"}


def salesforce_token(url: str) -> str:
    form = _APP | {"grant_type": "client_credentials"}
    return str(requests.post(f"{url}/services/oauth2/token", data=form).json()["access_token"])


def outreach_token(url: str) -> str:
    form = _APP | {"grant_type": "refresh_token", "refresh_token": "sandbox-refresh-token"}
    return str(requests.post(f"{url}/oauth/token", data=form).json()["access_token"])


def tell(work: Callable[[], int]) -> None:
    """Do it, and print how many records it was, in how many seconds, at work and in all.

    Imports and logins come before, and so do not count.
    """
    begun, started = process_time(), perf_counter()
    records = work()
    told = {
        "records": records,
        "work": process_time() - begun,
        "seconds": perf_counter() - started,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(told))
