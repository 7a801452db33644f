"""`crosswalk sandbox`: the project's local orgs behind their vendors' protocols, on loopback."""

from __future__ import annotations

import argparse
import json
import os
import threading
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from dsl.schema import Side
from engine.cli.project import Failure, Project
from engine.sandbox.identity import OUTREACH, SALESFORCE

if TYPE_CHECKING:  # `--help` must not wait for a web server
    from engine.sandbox.serving import Serving

__all__ = ["KEY_FILE", "environment", "register", "run", "sections", "serve"]

KEY_FILE = "sandbox.pem"
_PORTS = {Side.SALESFORCE: 8401, Side.OUTREACH: 8402}


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    for side, port in _PORTS.items():
        parser.add_argument(
            f"--{side}-port",
            type=int,
            default=port,
            metavar="P",
            help=f"default {port}; 0 takes a free one",
        )
    parser.add_argument(
        "--faults",
        default="",
        metavar="SPEC",
        help="what goes wrong, and how often: `429=0.02,reset=0.01`, or `all=0.01`",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which faults, default 0")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.epilog = (
        "Both servers answer on 127.0.0.1 until Ctrl-C. What they print is what a project\n"
        f"connects with. {KEY_FILE} is the key for signing in by JWT; it is made if missing.\n\n"
        "examples:\n"
        "  crosswalk sandbox\n"
        "  crosswalk sandbox --salesforce-port 0 --outreach-port 0 --format json\n"
        "  crosswalk sandbox --faults 503=0.05,after=0.02 --seed 7"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Serve until interrupted."""
    from engine.sandbox.faults import FaultsError, faults

    try:
        faults(args.faults, args.seed)
    except FaultsError as error:
        raise Failure(str(error)) from None
    with ExitStack() as stack:
        urls = {side: stack.enter_context(_serving(side, args, project)).url for side in Side}
        _tell(urls, project, args.format)
        threading.Event().wait()
    return 0


def _serving(side: Side, args: argparse.Namespace, project: Project) -> Serving:
    port = vars(args)[f"{side}_port"]
    try:
        return serve(side, project, port, args.faults, args.seed)
    except OSError as error:
        raise Failure(
            f"port {port} cannot be taken for {side} ({error.strerror}):"
            f" name another one with --{side}-port, or 0 for any"
        ) from None


def serve(side: Side, project: Project, port: int, faults: str = "", seed: int = 0) -> Serving:
    """One side's server at work over the project's local org. Raises `OSError`, `StoreError`."""
    from engine.sandbox.faults import faults as drawn
    from engine.sandbox.serving import Serving

    org = project.config.org_path(side) or project.root / f"{side}.db"
    weather = drawn(faults, seed)
    if side is Side.SALESFORCE:
        from engine.sandbox.identity import SalesforceIdentity
        from engine.sandbox.salesforce.app import app as salesforce

        who = SalesforceIdentity(certificate=_public_key(project.root / KEY_FILE))
        return Serving(lambda: salesforce(org, who, weather), port)
    from engine.sandbox.outreach import app as outreach

    return Serving(lambda: outreach(org, OUTREACH, weather), port)


def _public_key(path: Path) -> str:
    """The public half of the key in a PEM file, which is made if it is not there."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        if not path.exists():
            made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            text = made.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(text)
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise Failure(f"{path} cannot be used: {error.strerror}") from None
    except (TypeError, ValueError):
        raise Failure(f"{path} holds no private key: move it away, and a new one is made") from None
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return public.decode()


def sections(urls: dict[Side, str]) -> str:
    """What `crosswalk.toml` says to connect to the two servers; secrets by reference."""
    return f"""\
[salesforce]
store         = "salesforce"
path          = "salesforce.db"          # the org behind the server, for `crosswalk local`
instance_url  = "{urls[Side.SALESFORCE]}"
login_url     = "{urls[Side.SALESFORCE]}"
auth          = "client_credentials"
client_id     = "{SALESFORCE.client_id}"
client_secret = "env:SF_CLIENT_SECRET"

[outreach]
store          = "outreach"
path           = "outreach.db"
base_url       = "{urls[Side.OUTREACH]}"
client_id      = "{OUTREACH.client_id}"
client_secret  = "env:OUTREACH_CLIENT_SECRET"
refresh_token  = "env:OUTREACH_REFRESH_TOKEN"
webhook_secret = "env:OUTREACH_WEBHOOK_SECRET"
"""


def environment() -> dict[str, str]:
    """The variables that these sections refer to."""
    return {
        "SF_CLIENT_SECRET": SALESFORCE.client_secret,
        "OUTREACH_CLIENT_SECRET": OUTREACH.client_secret,
        "OUTREACH_REFRESH_TOKEN": OUTREACH.refresh_token,
        "OUTREACH_WEBHOOK_SECRET": OUTREACH.webhook_secret,
    }


def _tell(urls: dict[Side, str], project: Project, form: str) -> None:
    if form == "json":
        told = {
            "version": 1,
            **{side.value: {"url": urls[side], **_told_of(side)} for side in Side},
        }
        print(json.dumps(told), flush=True)
        return
    for side in Side:
        print(f"{side.title():<11} {urls[side]}")
    print("\nTo connect a project to them, write in its crosswalk.toml\n")
    print("".join(f"  {line}\n" if line else "\n" for line in sections(urls).splitlines()))
    print("and in the shell that runs it\n")
    for name, value in environment().items():
        print(f"  export {name}={value}")
    print(
        f"\nSalesforce lets in {SALESFORCE.username} with the password {SALESFORCE.password}"
        f" (security token {SALESFORCE.security_token}) as well,\nand whoever signs by JWT with"
        f" {project.root / KEY_FILE}. Ctrl-C ends both.",
        flush=True,
    )


def _told_of(side: Side) -> dict[str, object]:
    who = SALESFORCE if side is Side.SALESFORCE else OUTREACH
    return {key: value for key, value in asdict(who).items() if key != "certificate"}
