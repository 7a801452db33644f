"""Sends what a client asks of Outreach's own address to a server on this machine instead."""

import os

import requests

_TO = os.environ["OUTREACH_SANDBOX"]
_request = requests.Session.request


def _redirected(self, method, url, **more):
    return _request(self, method, url.replace("https://api.outreach.io", _TO, 1), **more)


requests.Session.request = _redirected
