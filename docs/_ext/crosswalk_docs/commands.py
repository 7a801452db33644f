"""The page of commands, from the very parsers that answer `--help`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from importlib import import_module
from textwrap import dedent

from engine.cli import main

__all__ = ["command_parsers", "commands_page"]

_WIDTH = 88
_EXAMPLES = re.compile(r"^examples?:\n", re.MULTILINE)
_Parser = argparse.ArgumentParser


def commands_page() -> str:
    """The Markdown of the page, below its title: each command, each with its own commands."""
    program = main._parser(None, None)
    parts = ["## Options of every command", _table(program)]
    for parser in command_parsers().values():
        parts += _section(parser, "##")
    return "\n\n".join(parts) + "\n"


def command_parsers() -> dict[str, _Parser]:
    """The parser of each command, as `main` makes it, wide enough to be read on a page."""
    found = {}
    for name, (module, _, _) in main.COMMANDS.items():
        program = main._parser(name, import_module(module))
        found[name] = _commands_of(program)[name]
    return found


def _commands_of(parser: _Parser) -> dict[str, _Parser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _section(parser: _Parser, mark: str) -> Iterator[str]:
    # A prefix: the usage of `crosswalk local` is that of the program before it.
    yield f"{mark} {parser.prog}"
    if parser.description:
        yield _escaped(parser.description)
    yield f"```text\n{_usage(parser)}\n```"
    if table := _table(parser):
        yield table
    notes, _, examples = _cut(parser.epilog or "")
    if notes:
        yield _escaped(notes)
    if examples:
        yield f"```console\n{_as_typed(examples)}\n```"
    for inner in _commands_of(parser).values():
        yield from _section(inner, mark + "#")


def _usage(parser: _Parser) -> str:
    parser.formatter_class = lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=_WIDTH)
    return parser.format_usage().strip()


def _cut(epilog: str) -> tuple[str, str, str]:
    """What an epilog says before its examples, and the examples."""
    found = _EXAMPLES.search(epilog)
    if found is None:
        return epilog.strip(), "", ""
    return epilog[: found.start()].strip(), found[0], dedent(epilog[found.end() :]).strip()


def _as_typed(examples: str) -> str:
    return "\n".join(f"$ {line}" for line in examples.splitlines())


def _table(parser: _Parser) -> str:
    rows = [
        f"| {_name(action)} | {_meaning(action)} |"
        for action in parser._actions
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
    ]
    return "\n".join(["| argument | meaning |", "| --- | --- |", *rows]) if rows else ""


def _name(action: argparse.Action) -> str:
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.option_strings:
        value = f" {metavar}" if action.nargs != 0 else ""
        return ", ".join(f"`{option}{value}`" for option in action.option_strings)
    return f"`{metavar}`"


def _meaning(action: argparse.Action) -> str:
    parts = [_escaped(action.help or "")]
    if action.choices:
        parts.append("one of " + ", ".join(f"`{choice}`" for choice in action.choices))
    if action.option_strings and action.nargs != 0 and action.default not in (None, "==SUPPRESS=="):
        parts.append(f"`{action.default}` unless said")
    return "; ".join(part for part in parts if part)


def _escaped(text: str) -> str:
    """As text of a Markdown table or paragraph, with `code` left as it is."""
    return re.sub(r"([|*_<\[\]])", r"\\\1", text)
