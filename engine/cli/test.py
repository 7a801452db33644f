"""`crosswalk test`: runs the tests in the rule files, and says what each failure comes from."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsl.codes import Severity
from dsl.diagnostics import Diagnostic, as_text, in_order
from dsl.diagnostics import as_json as findings_as_json
from engine.cli.project import Failure, Project

if TYPE_CHECKING:
    from dsl.files import Loaded
    from dsl.program import Program
    from engine.rule_tests import Coverage, Result
    from engine.rule_tests import Failure as Failed

__all__ = ["register", "run"]

EXAMPLE = """\
Without PATH, the tests of the project's rules run. A PATH in the project's rules folder chooses the
tests of these files; any other PATHs are checked and run as rules of their own.

examples:
  crosswalk test
  crosswalk test rules/leads.sync -k e-mail
  crosswalk test --coverage
  crosswalk test --format junit > report.xml
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.description = (
        "Run the tests in the rule files, each on two empty orgs in memory with a clock that"
        " stands at 2026-11-23T09:30:00Z."
    )
    parser.epilog = EXAMPLE
    parser.add_argument("paths", nargs="*", metavar="PATH", help="rule files or folders")
    parser.add_argument("-k", dest="word", metavar="WORD", help="only tests with WORD in the name")
    parser.add_argument(
        "--coverage", action="store_true", help="show what of the rules no test comes by"
    )
    parser.add_argument("--format", choices=["text", "json", "junit"], default="text")


@dataclass(frozen=True)
class _Chosen:
    """The rules to test, and the tests of them that were asked for."""

    program: Program
    zone: tzinfo
    files: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class _AsError(Diagnostic):
    """A failure in the clothes of a finding, so that it is shown like one."""

    @property
    def severity(self) -> Severity:
        return Severity.ERROR


def run(args: argparse.Namespace, project: Project | None) -> int:
    """Run the tests. 0: all passed, 1: some failed, or the rules have errors, 2: wrong usage."""
    from engine.rule_tests import Coverage, Rules, run_test

    chosen, wrong = _choose(args.paths, project)
    if wrong:
        return _report_errors(wrong, args.format)
    rules = Rules(chosen.program, chosen.zone)
    coverage = Coverage(rules) if args.coverage else None
    tests = [
        test
        for test in chosen.program.tests
        if (chosen.files is None or test.span.source.path in chosen.files)
        and (args.word is None or args.word.casefold() in str(test.title.value).casefold())
    ]
    if args.word is not None and not tests:
        raise Failure(f"no test has `{args.word}` in its name")
    results = [run_test(rules, test, coverage) for test in tests]
    _REPORTS[args.format](results, coverage)
    return 0 if all(result.passed for result in results) else 1


# -- which rules and tests ----------------------------------------------------------------------


def _choose(paths: Sequence[str], project: Project | None) -> tuple[_Chosen, Sequence[Diagnostic]]:
    """What the arguments name, and the errors in it. Raises `Failure`."""
    from dsl.files import read_folder, read_paths
    from dsl.lint import check
    from dsl.schema import shipped_schema
    from engine.activities import carried_out
    from engine.shipped import own_titles, title_names, title_texts

    given = [Path(path) for path in paths]
    files = None
    if project is not None and all(_inside(path, project.rules) for path in given):
        loaded = read_folder(project.rules, Path(project.config.rules_name))
        files = _files(given, project) if given else None
    elif given:
        loaded = read_paths(given)
    else:
        raise Failure("there is no project here: name the rule files to test")
    if loaded.error:
        raise Failure(loaded.error)
    templates = project.templates if project else title_names()
    titles = own_titles(project.root if project else None)
    checked = check(loaded.sources, shipped_schema(), templates, titles)
    zone = project.config.timezone if project else UTC
    errors = _errors(loaded, checked.diagnostics)
    program = checked.program
    if not errors:
        program = carried_out(program, title_texts(project.root if project else None))
    return _Chosen(program, zone, files), errors


def _errors(loaded: Loaded, found: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
    return [d for d in in_order((*loaded.failed, *found)) if d.is_error]


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _files(given: Sequence[Path], project: Project) -> frozenset[str]:
    """The project's rule files among these, as its program knows them. Raises `Failure`."""
    from dsl.files import read_paths

    named = read_paths(given)
    if named.error:
        raise Failure(named.error)
    root = project.rules.resolve()
    found = [Path(source.path).resolve().relative_to(root) for source in named.sources]
    return frozenset((Path(project.config.rules_name) / path).as_posix() for path in found)


# -- reports ------------------------------------------------------------------------------------


def _report_errors(wrong: Sequence[Diagnostic], form: str) -> int:
    """Show what is wrong with the rules; nothing was run."""
    print(as_text(wrong), file=sys.stderr)
    print("crosswalk: the rules have errors: mend them, then try again", file=sys.stderr)
    if form == "json":
        found = findings_as_json(wrong)["diagnostics"]
        print(_dumped({"version": 1, "passed": 0, "failed": 0, "tests": [], "diagnostics": found}))
    elif form == "junit":
        from engine.cli.junit import errors_as_junit

        print(errors_as_junit(wrong))
    return 1


def _text(results: Sequence[Result], coverage: Coverage | None) -> None:
    from engine.cli.changes import paint
    from engine.cli.colour import wants_colour

    colour = wants_colour()
    for result in results:
        for failed in result.failures:
            message = f'"{result.name}": {failed.message}'
            told = _AsError("test", message, failed.span, failed.reason, None, None, failed.related)
            print(as_text([told], colour=colour), end="")
            for line in failed.diff:
                print("  " + paint(line, "32" if line.startswith("-") else "31", colour))
            print()
    if coverage is not None:
        print("\n".join(coverage.as_text()))
    failures = sum(not result.passed for result in results)
    passed = f"{len(results) - failures} passed"
    if not results:
        print("there are no tests in these rules")
    else:
        print(f"{passed}, {failures} failed" if failures else passed)


def _json(results: Sequence[Result], coverage: Coverage | None) -> None:
    failures = sum(not result.passed for result in results)
    document: dict[str, Any] = {
        "version": 1,
        "passed": len(results) - failures,
        "failed": failures,
        "tests": [
            {
                "name": result.name,
                "file": result.span.source.path,
                "line": result.span.first.line,
                "outcome": "passed" if result.passed else "failed",
                "seconds": round(result.seconds, 3),
                "failures": [_failure_as_json(failed) for failed in result.failures],
            }
            for result in results
        ],
    }
    if coverage is not None:
        document["coverage"] = coverage.as_json()
    print(_dumped(document))


def _failure_as_json(failed: Failed) -> dict[str, Any]:
    return {
        "line": failed.span.first.line,
        "column": failed.span.first.column,
        "message": failed.message,
        "diff": list(failed.diff),
        "reason": failed.reason,
        "rules": [
            {"file": span.source.path, "line": span.first.line, "message": words}
            for span, words in failed.related
        ],
    }


def _dumped(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)


def _junit(results: Sequence[Result], coverage: Coverage | None) -> None:
    from engine.cli.junit import as_junit

    print(as_junit(results))
    if coverage is not None:
        print("\n".join(coverage.as_text()), file=sys.stderr)


_REPORTS = {"text": _text, "json": _json, "junit": _junit}
