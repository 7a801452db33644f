"""The command `crosswalk`: imports only the subcommand asked for, turns failures into words."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["main"]

#: Subcommands: the module that has `register(parser)` and `run(args, project)`, whether it needs a
#: project ("needs"), takes one if there is one ("takes") or not ("none"), and what it does.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": ("engine.cli.init", "none", "make a project with the recommended rules and local orgs"),
    "demo": (
        "engine.cli.demo",
        "none",
        "play the whole story, or a day of a sales team, on the sample org",
    ),
    "lint": ("engine.cli.lint", "takes", "check rule files"),
    "fmt": ("engine.cli.fmt", "takes", "write rule files in their one canonical form"),
    "test": ("engine.cli.test", "takes", "run the tests in the rule files"),
    "plan": ("engine.cli.plan", "needs", "show what a run would do, record by record"),
    "run": ("engine.cli.run", "needs", "run one cycle"),
    "import": ("engine.cli.import_", "needs", "bring in a list of records by hand"),
    "explain": ("engine.cli.explain", "needs", "show why a record did or did not sync"),
    "review": ("engine.cli.review", "needs", "show what is held, and why"),
    "retry": ("engine.cli.retry", "needs", "try the refused writes again now"),
    "resume": ("engine.cli.resume", "needs", "let go on what is held for review, and deletions"),
    "undo": ("engine.cli.undo", "needs", "put back what a run wrote"),
    "audit": ("engine.cli.audit", "needs", "compare both sides in full"),
    "diff": ("engine.cli.diff", "needs", "show what other rules would do to the real records"),
    "resync": ("engine.cli.resync", "needs", "bring newly mapped fields to existing records"),
    "graph": ("engine.cli.graph", "needs", "show the execution plan graph"),
    "status": (
        "engine.cli.status",
        "needs",
        "show what is linked, where reading stands, what waits",
    ),
    "limits": ("engine.cli.limits", "needs", "show the call budgets, what is used, what waits"),
    "log": ("engine.cli.log", "needs", "show the technical log"),
    "activity": ("engine.cli.activity", "needs", "show what was synced and what rules changed"),
    "maps": ("engine.cli.maps", "needs", "compare the rules' maps with Salesforce's picklists"),
    "links": ("engine.cli.links", "needs", "show which records are linked"),
    "prune": (
        "engine.cli.prune",
        "needs",
        "forget what was done long ago, to keep the ledger small",
    ),
    "check": (
        "engine.cli.check",
        "needs",
        "see whether both connections let the rules do what they need",
    ),
    "connect": ("engine.cli.connect", "needs", "authorise in the browser, and keep the token"),
    "sandbox": ("engine.cli.sandbox", "needs", "serve the local orgs as their vendors would"),
    "serve": ("engine.cli.serve", "needs", "sync on a schedule, with the webhooks and the console"),
    "lsp": ("engine.cli.lsp", "none", "the language server, which an editor starts"),
    "title": ("engine.cli.title", "needs", "show what the title of an activity would be"),
    "local": ("engine.cli.local", "needs", "fill, read and change the project's local orgs"),
}

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is as the documentation has it."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = _command(arguments)
    module = import_module(COMMANDS[name][0]) if name else None
    args = _parser(name, module).parse_args(arguments)
    args.arguments = arguments
    if module is None:
        _parser(None, None).print_help()
        return 2
    # As Ctrl-C: what was opened is closed, and a plan's temporary files go.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(name or "", module, args)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`| head`); leave no traceback when Python flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _command(arguments: list[str]) -> str | None:
    """The subcommand among the arguments, so that only its module is imported."""
    rest = iter(arguments)
    for argument in rest:
        if argument == "--project":
            next(rest, None)
        elif not argument.startswith("-"):
            return argument if argument in COMMANDS else None
    return None


def _parser(name: str | None, module: ModuleType | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="crosswalk",
        description="The sync engine between Salesforce and Outreach, as code.",
        epilog="start with:  crosswalk init acme && cd acme && crosswalk plan",
    )
    parser.add_argument("--version", action=_ShowVersion, help="show the version")
    parser.add_argument("--project", metavar="DIR", help="the project's folder (default: this one)")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command, (_, _, text) in COMMANDS.items():
        own = commands.add_parser(
            command,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if command == name and module is not None:
            module.register(own)
    return parser


class _ShowVersion(argparse.Action):
    """The version, looked up only if it is asked for."""

    def __init__(self, option_strings: list[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_rest: object) -> None:
        from importlib.metadata import version

        print(f"crosswalk {version('crosswalk')}")
        parser.exit()


def _run(name: str, module: ModuleType, args: argparse.Namespace) -> int:
    from engine.cli.project import Failure, load_project
    from engine.config import FILE, ConfigError

    try:
        wants = COMMANDS[name][1]
        there = args.project is not None or Path(FILE).exists()
        project = None
        if wants == "needs" or (wants == "takes" and there):
            project = load_project(args.project)
        code: int = module.run(args, project)
    except ConfigError as error:
        return _fail(str(error), 2)
    except Failure as error:
        return _fail(str(error), error.code)
    except Exception as error:
        known = _known_failure(error)
        if known is None:
            raise
        return _fail(*known)
    return code


def _known_failure(error: Exception) -> tuple[str, int] | None:
    """The sentence and exit code for an error of the outside world; None for our own bugs."""
    ports = sys.modules.get("engine.ports")
    if ports is not None and isinstance(error, ports.Unreachable):
        return str(error), 3
    if ports is not None and isinstance(error, ports.BudgetSpent):
        return str(error), 1
    if ports is not None and isinstance(error, ports.StoreError):
        return str(error), 2
    ledger = sys.modules.get("engine.ledger.records")
    if ledger is not None and isinstance(error, ledger.LedgerError):
        return str(error), 2
    named = sys.modules.get("engine.named")
    if named is not None and isinstance(error, named.NotNamed):
        return str(error), 2
    plans = sys.modules.get("engine.planfile")
    if plans is not None and isinstance(error, plans.PlanError):
        return str(error), 2
    return None


def _fail(message: str, code: int) -> int:
    for line in message.splitlines():
        print(f"crosswalk: {line}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
