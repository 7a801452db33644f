"""`crosswalk serve`: syncs on the rules' schedule until it is told to end."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from engine.cli.notify import notify
from engine.cli.project import Failure, Project

if TYPE_CHECKING:  # `--help` must not wait for a web server
    from starlette.types import ASGIApp

    from engine.service import Service
    from engine.service.telemetry import OpenTelemetry

__all__ = ["register", "run", "serve_until_told"]

_GRACE = 2  # seconds that open requests have at the end
_LONGEST = 8.0  # seconds that the batch at work has after them
_INTERRUPTED = 130


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--host", metavar="H", default="127.0.0.1", help="default 127.0.0.1")
    parser.add_argument(
        "--port", metavar="P", type=int, default=8420, help="default 8420; 0 takes a free one"
    )
    parser.add_argument(
        "--log-format", choices=["text", "json"], default="text", help="of the lines on stderr"
    )
    parser.add_argument(
        "--hash-password",
        action="store_true",
        help="only ask for a password, and print what stands for it in crosswalk.toml",
    )
    parser.epilog = (
        "Each sync's sides are read at the rules' own intervals: `polling every 10 minutes` and\n"
        "`pushing every 15 seconds` unless they say otherwise; a webhook of Outreach to\n"
        "/hooks/outreach makes a push due at once. Changed rules are taken if they lint clean;\n"
        "the old ones go on otherwise. SIGHUP reads them at once, SIGTERM and Ctrl-C end the\n"
        "service after the batch at work. /healthz, /readyz and /metrics tell how it is.\n\n"
        "examples:\n"
        "  crosswalk serve\n"
        "  crosswalk serve --port 0 --log-format json\n"
        "  crosswalk serve --hash-password"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Serve until told to end; exit code 0, or 130 after Ctrl-C."""
    if args.hash_password:
        return _hash_password()
    return serve_until_told(project, args.host, args.port, args.log_format)


def serve_until_told(
    project: Project, host: str = "127.0.0.1", port: int = 8420, log_format: str = "text"
) -> int:
    """Serve a project until a signal ends it; the exit code."""
    import uvicorn

    from engine.service.logs import log_to_stderr
    from engine.tracing import trace_with

    log_to_stderr(log_format)
    tracer = _tracer(project)
    bound = _bound(host, port)
    with bound, trace_with(tracer):
        service = _service(project)
        config = uvicorn.Config(
            _app(service, host),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        server = _server(config)
        try:
            with _signals(service, server) as received:
                name = f"[{host}]" if ":" in host else host
                where = f"http://{name}:{bound.getsockname()[1]}"
                service.start(where, lambda: setattr(server, "should_exit", True))
                print(f"crosswalk serves {where}", flush=True)
                notify("READY=1")
                server.run(sockets=[bound])
        finally:
            notify("STOPPING=1")
            ended = service.stop(_LONGEST)
            if tracer is not None:
                tracer.close()
    if not received:
        raise Failure("the service broke down: its log says why", 1)
    if not ended:
        raise Failure("the batch at work did not end in time: the next cycle looks after it", 1)
    return _INTERRUPTED if signal.SIGINT in received else 0


def _service(project: Project) -> Service:
    from engine.secrets import SecretError
    from engine.service import Service

    try:
        return Service(project, project.program())
    except SecretError as error:
        raise Failure(f"[alerts] {error}") from None


def _tracer(project: Project) -> OpenTelemetry | None:
    """Where spans go, if anywhere."""
    from engine.secrets import SecretError, Secrets
    from engine.service.telemetry import NotInstalled, telemetry

    try:
        return telemetry(project.config.telemetry, Secrets(project.config.root))
    except SecretError as error:
        raise Failure(f"[telemetry] {error}") from None
    except NotInstalled as error:
        raise Failure(str(error)) from None


def _hash_password() -> int:
    """Print a password's hash, for `[console.users.NAME]`."""
    from getpass import getpass

    from engine.web.passwords import hash_password

    given = getpass("password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not given:
        raise Failure("an empty password lets everybody in: type one")
    print(hash_password(given))
    return 0


def _app(service: Service, host: str) -> ASGIApp:
    """The service's routes, and the console for all others."""
    from engine.secrets import SecretError
    from engine.service.app import app
    from engine.web.access import NoUsers
    from engine.web.app import app as console

    try:
        return app(service, console(service, host))
    except (SecretError, NoUsers) as error:
        raise Failure(str(error)) from None


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise Failure(
            f"{host} port {port} cannot be taken ({why}): name another one with --port, or 0"
        ) from None


def _server(config: Any) -> Any:
    """A server that leaves signals to the command."""
    import uvicorn

    class Quiet(uvicorn.Server):
        """Catches no signals."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return Quiet(config)


@contextmanager
def _signals(service: Service, server: Any) -> Iterator[set[int]]:
    """Ends the service gently on SIGTERM and SIGINT, reads the rules again on SIGHUP."""
    received: set[int] = set()

    def end(number: int, _frame: object) -> None:
        if number in received:
            raise KeyboardInterrupt
        received.add(number)
        server.should_exit = True
        service.hurry()

    def again(_number: int, _frame: object) -> None:
        service.reload()

    handlers: dict[int, Any] = {signal.SIGTERM: end, signal.SIGINT: end, signal.SIGHUP: again}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
