"""`crosswalk fmt`: brings rule files into their one canonical form."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from dsl.diagnostics import Diagnostic, as_text
from dsl.files import Loaded, decode
from dsl.format import format_source
from engine.cli.colour import wants_colour
from engine.cli.files import replace_file
from engine.cli.project import Project
from engine.cli.rule_files import load

__all__ = ["register", "run"]

EXAMPLE = """\
examples:
  crosswalk fmt
  crosswalk fmt rules/leads.sync
  crosswalk fmt --check --diff
  crosswalk fmt - < draft.sync > rules/leads.sync
"""


@dataclass(frozen=True)
class _File:
    """One file as it is and as it would be; `findings` are why it is left as it is."""

    shown: str
    before: bytes
    after: bytes
    findings: tuple[Diagnostic, ...] = ()
    flaw: str | None = None

    @property
    def is_refused(self) -> bool:
        return bool(self.findings or self.flaw)

    @property
    def would_change(self) -> bool:
        return self.before != self.after


def register(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.description = (
        "Write rule files in their one canonical form. The meaning stays as it is, and so do"
        " files with syntax errors."
    )
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="rule files or folders; `-` reads standard input and writes standard output"
        " (default: the project's rules)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; list the files that would change, and exit with 1 if there are any",
    )
    parser.add_argument(
        "--diff", action="store_true", help="write nothing; print what would change"
    )


def run(args: argparse.Namespace, project: Project | None) -> int:
    """Formats what the arguments name. 0: done, 1: errors or (`--check`) changes, 2: no such."""
    if args.paths == ["-"]:
        return _run_on_input(args)
    loaded = load(args.paths, project, "format")
    if loaded.error:
        print(f"error: {loaded.error}", file=sys.stderr)
        return 2
    writes = not (args.check or args.diff)
    changed = refused = failed = 0
    for file in _formatted(loaded):
        refused += file.is_refused
        _print_findings(file)
        if not file.would_change:
            continue
        if args.diff:
            _print_diff(file)
        if writes and not _written(file):
            failed += 1
            continue
        changed += 1
        _tell(f"{'formatted' if writes else 'would format'} {file.shown}", args.diff)
    counts = (changed, loaded.count - changed - refused - failed, refused)
    _tell(_summary(counts, writes), args.diff)
    if failed:
        return 2
    return 1 if refused or (args.check and changed) else 0


def _formatted(loaded: Loaded) -> Iterator[_File]:
    for source in loaded.sources:
        path = Path(source.path)
        # As bytes, to see a byte order mark too; a pipe cannot be read twice.
        yield _format(path.read_bytes() if path.is_file() else source.text.encode(), source.path)
    for finding in loaded.failed:
        yield _File(finding.span.source.path, b"", b"", (finding,))


def _format(raw: bytes, shown: str) -> _File:
    source = decode(raw, shown)
    if isinstance(source, Diagnostic):
        return _File(shown, raw, raw, (source,))
    result = format_source(source)
    refused = result.findings or result.flaw
    after = raw if refused else result.text.encode()
    return _File(shown, raw, after, result.findings, result.flaw)


def _run_on_input(args: argparse.Namespace) -> int:
    """Standard input to standard output; what cannot be formatted comes out as it went in."""
    file = _format(sys.stdin.buffer.read(), "<stdin>")
    _print_findings(file)
    if args.diff:
        _print_diff(file)
    elif args.check and file.would_change:
        print("would format <stdin>")
    elif not args.check:
        _print_bytes(file.after)
    return 1 if file.is_refused or (args.check and file.would_change) else 0


# -- writing ------------------------------------------------------------------------------------


def _written(file: _File) -> bool:
    """Writes a file in one step, so that it is never there by half; tells why if it cannot."""
    try:
        replace_file(Path(file.shown), file.after)
    except OSError as error:
        why = error.strerror or str(error)
        print(f"error: `{file.shown}` cannot be written: {why}", file=sys.stderr)
        return False
    return True


# -- telling ------------------------------------------------------------------------------------


def _print_findings(file: _File) -> None:
    if file.findings:
        print(as_text(file.findings, colour=wants_colour(sys.stderr)), file=sys.stderr)
    if file.flaw:
        print(
            f"error: `{file.shown}` is left as it is, by a bug of Crosswalk's: its formatter"
            f" {file.flaw}. Please report it, with the file.",
            file=sys.stderr,
        )


def _print_diff(file: _File) -> None:
    before, after = (content.decode("utf-8") for content in (file.before, file.after))
    rows = unified_diff(_lines(before), _lines(after), file.shown, file.shown)
    text = "".join(
        row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows
    )
    _print_bytes(text.encode())


def _lines(text: str) -> list[str]:
    """Lines with their ends. Only LF ends one: a CR is something that the diff has to show."""
    *whole, rest = text.split("\n")
    return [f"{line}\n" for line in whole] + ([rest] if rest else [])


def _print_bytes(content: bytes) -> None:
    """As it is, whatever the terminal's encoding or the system's line ends."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _tell(text: str, aside: bool) -> None:
    """Prints a line; beside a diff, where it is no part of it."""
    print(text, file=sys.stderr if aside else sys.stdout)


def _summary(counts: tuple[int, int, int], writes: bool) -> str:
    changed, kept, refused = counts
    parts = []
    if changed:
        parts.append(f"{_count(changed)} {'formatted' if writes else 'would change'}")
    if kept:
        verb = "is" if kept == 1 else "are"
        parts.append(f"{_count(kept)} {verb} in canonical form" + (" already" if writes else ""))
    if refused:
        parts.append(f"{_count(refused)} with errors left alone")
    return ", ".join(parts)


def _count(number: int) -> str:
    return f"{number} file{'' if number == 1 else 's'}"
