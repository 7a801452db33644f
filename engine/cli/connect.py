"""`crosswalk connect`: a person authorises in the browser, and the token is kept, sealed."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dsl.schema import Side
from engine.cli.hooking import register_webhooks, remove_webhooks
from engine.cli.project import Failure, Project
from engine.connections import host_of, is_loopback

if TYPE_CHECKING:  # `--help` must not wait for an HTTP library
    from engine.ports import Need
    from engine.secrets import Secret
    from engine.stores.oauth import WebFlow

__all__ = ["register", "run"]

_HERE = "http://127.0.0.1:8400/callback"
_PATIENCE = 300  # seconds that a person has to say yes
_STRAY = 5  # requests of other kinds, such as for an icon, before it is given up
_DONE = "Done: you can close this page and go back to the terminal."


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("side", choices=[side.value for side in Side])
    parser.add_argument(
        "--no-browser", action="store_true", help="only print the address, open nothing"
    )
    parser.add_argument(
        "--paste",
        action="store_true",
        help="take the address that the browser ends at from standard input",
    )
    parser.add_argument(
        "--remove-webhooks",
        action="store_true",
        help="authorise nothing; remove the webhooks that were registered for this project",
    )
    parser.epilog = (
        "The application at the vendor must name the `redirect_uri` of crosswalk.toml"
        f"\n(default: {_HERE}). Where that is no address of this machine, the browser ends\n"
        "at a page that cannot be found: copy its address and paste it here.\n"
        "The token is kept in the ledger, sealed with a key in your configuration folder\n"
        "(or in CROSSWALK_KEY). It is renewed by itself.\n"
        "Where crosswalk.toml has [webhooks], Outreach is told to call its `url` of changes.\n\n"
        "examples:\n"
        "  crosswalk connect salesforce\n"
        "  crosswalk connect outreach --paste\n"
        "  crosswalk connect outreach --remove-webhooks"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Authorise one side. Raises `Failure`, `Unauthorized` or `Unreachable`."""
    side = Side(args.side)
    if args.remove_webhooks:
        if side is not Side.OUTREACH:
            raise Failure("--remove-webhooks is for Outreach: crosswalk connect outreach")
        return remove_webhooks(project)
    flow = _flow(project, side)
    address = flow.address()
    print(f"Authorise at\n\n  {address}\n", file=sys.stderr, flush=True)
    if not args.no_browser:
        webbrowser.open(address)
    answer = _pasted() if args.paste or not _is_here(flow) else _called_back(flow.redirect_uri)
    vault = project.vault(side)
    with vault.exclusive():
        tokens = flow.tokens(answer)
        _check_org(project, side, tokens.instance_url)
        vault.keep(tokens)
    print(f"{side.title()} is authorised, and its token kept; `crosswalk check` tries it.")
    if tokens.refresh is None:
        print(
            "note: there is no refresh token, so this ends when the session does: let the"
            " application give one (in Salesforce the scope `refresh_token`)",
            file=sys.stderr,
        )
    if side is Side.OUTREACH:
        register_webhooks(project)
    return 0


def _flow(project: Project, side: Side) -> WebFlow:
    from engine.stores.oauth import WebFlow

    settings = project.config.stores[side].settings
    _refuse_other_ways(project, side)
    redirect = settings.get("redirect_uri", _HERE)
    secret = _secret(project, side)
    if side is Side.SALESFORCE:
        login = settings.get("login_url", settings["instance_url"]).rstrip("/")
        endpoints = f"{login}/services/oauth2/authorize", f"{login}/services/oauth2/token"
        scopes: tuple[str, ...] = ("api", "refresh_token")
    else:
        from engine.stores.outreach.settings import address

        _, origin = address(settings.get("base_url"))
        endpoints = f"{origin}/oauth/authorize", f"{origin}/oauth/token"
        scopes = tuple(_scopes(_needs(project), bool(project.config.webhooks)))
    return WebFlow(side.title(), *endpoints, settings["client_id"], secret, redirect, scopes)


def _refuse_other_ways(project: Project, side: Side) -> None:
    config = project.config.stores[side]
    if config.store != side.value:
        raise Failure(
            f'[{side}] has store = "{config.store}", which needs no authorisation:'
            f' write store = "{side}" to connect to {side.title()} itself'
        )
    auth = config.settings.get("auth")
    if side is Side.SALESFORCE and auth != "web":
        raise Failure(
            f'[salesforce] has auth = "{auth}", which needs no browser: `crosswalk check` tries it'
        )
    if side is Side.OUTREACH and "token" in config.settings:
        raise Failure("[outreach] has a `token` of its own: take it out to authorise instead")


def _secret(project: Project, side: Side) -> Secret | None:
    from engine.secrets import SecretError, Secrets

    reference = project.config.stores[side].settings.get("client_secret")
    try:
        return None if reference is None else Secrets(project.root).get("client_secret", reference)
    except SecretError as error:
        raise Failure(f"[{side}] {error}") from None


def _needs(project: Project) -> list[Need]:
    from engine.compiled import Compiled
    from engine.needs import needs

    return needs(Compiled(project.program(), project.config.timezone))[Side.OUTREACH]


def _scopes(wanted: Iterable[Need], webhooks: bool) -> Iterable[str]:
    """What the rules need, and no more: `prospects.read`, `prospects.write`, …"""
    if webhooks:
        yield from (f"webhooks.{word}" for word in ("read", "write", "delete"))
    from engine.stores.outreach.paths import plural

    for need in wanted:
        yield f"{plural(need.type)}.read"
        if need.creates or need.updates:
            yield f"{plural(need.type)}.write"
        if need.deletes:
            yield f"{plural(need.type)}.delete"


def _check_org(project: Project, side: Side, instance: str | None) -> None:
    configured = project.config.stores[side].settings.get("instance_url")
    if instance and configured and host_of(instance) != host_of(configured):
        raise Failure(
            f"that authorised {instance}, and `instance_url` is {configured}: sign in to the right"
            " org, or correct `instance_url` in crosswalk.toml"
        )


def _is_here(flow: WebFlow) -> bool:
    return flow.redirect_uri.startswith("http://") and is_loopback(flow.redirect_uri)


def _pasted() -> str:
    print("Paste the address that the browser ends at: ", file=sys.stderr, end="", flush=True)
    answer = sys.stdin.readline().strip()
    if not answer:
        raise Failure("there was no address: start anew with `crosswalk connect`")
    return answer


def _called_back(redirect: str) -> str:
    """The address that the browser is sent back to, waited for on this machine."""
    parts = urlsplit(redirect)
    found: list[str] = []

    class _Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            right = urlsplit(self.path).path == (parts.path or "/")
            if right:
                found.append(self.path)
            self.send_response(200 if right else 404)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write((_DONE if right else "Not here.").encode())

        def log_message(self, *_: object) -> None:
            """Nothing: the address bears the code."""

    try:
        server = HTTPServer((parts.hostname or "127.0.0.1", parts.port or 80), _Handler)
    except OSError as error:
        raise Failure(
            f"{redirect} cannot be listened on ({error.strerror}): use `--paste`,"
            " or another `redirect_uri`"
        ) from None
    with server:
        server.timeout = _PATIENCE
        for _ in range(_STRAY):
            server.handle_request()
            if found:
                return found[0]
    raise Failure("nobody authorised: start anew with `crosswalk connect`")
