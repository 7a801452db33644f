"""Measures `lint` beside its floors: `python bench/lint.py [--quick]`.

Ratios, each side by side in one run, the median of several:

- 10,000 lines of rules: all of lint in this process against lark's own parse of the same text with
  the same grammar and nothing else;
- the same against what python-hcl2 takes to load as many lines that say the same in HCL;
- 200 lines: `lint` as a whole process against a process that imports lark and parses the text;
- 10,000 lines linted again, as a whole process, against Python's own start;
- one edit in 10,000 lines that an editor has open, in milliseconds.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from lark import Lark  # noqa: E402

from dsl.cache import cache_folder  # noqa: E402
from dsl.grammar import GRAMMAR_FILE, AnyName  # noqa: E402
from dsl.lint import Checker, check  # noqa: E402
from dsl.schema import shipped_schema  # noqa: E402
from dsl.source import Source  # noqa: E402

TEMPLATES = frozenset({"email_sent"})

# A block of 50 lines; each copy syncs a custom type of its own, so that there is nothing to report.
BLOCK = """\
# What comes from the web form, as the marketing team asked for it.
stages status_{n} {{
    "Open - Not Contacted"    <-> "Open"      color "#3b82f6"
    "Working - Contacted"     <-> "Working"
    "Closed - Converted"       -> "Converted"
    "Closed - Not Converted"  <-> "Closed"
    otherwise hold
}}

fields engagement_{n} {{
    Current_Sequence_Name__c    <- sequence.name
    Current_Sequence_Status__c  <- sequence.status
    Current_Sequence_Step__c    <- sequence.step_number
}}

sync Form_{n}__c <-> prospect {{
    match Email__c = emails
    polling every 10 minutes when IsConverted__c = false
    inbound create when all {{
        Email__c is present
        any {{ HasOptedOutOfEmail__c = false  Rating__c in ("Hot", "Warm") }}
        not (Company__c starts with "Test" or Company__c is empty)
    }}
    inbound update
    pushing
    outbound update when stage.name != "Do Not Contact" and updatedAt > 30 days ago
    conflict prefer newest

    fields {{
        First_Name__c      <-> firstName
        Last_Name__c       <-> lastName        prevent empty
        Email__c           <-> emails          prevent empty inbound  prefer salesforce
        Status__c          <-> stage           via status_{n}
        OwnerId__c         <-> owner
        Phone__c           <-> workPhones
        City__c            <-> addressCity     when Country__c = "US"
        Country__c         <-> addressCountry
        Score__c            -> score           # the marketing team's, not ours
        lower(trim(Title__c))  -> title
        true                -> locked          once
        use engagement_{n}
    }}
    activities {{
        email sent      from anywhere -> Task  title from email_sent
        email received  from anywhere -> Task
        call logged     -> Task  title "[Call] {{{{ purpose }}}}"
        task completed  -> Task  when action in ("call", "email")
    }}
}}
"""


# The owners that the blocks map need users.
USERS = """\
sync User <-> user {
    match Email = email
    polling
    inbound update
    fields {
        Title  -> title
    }
}

"""


def rules(lines: int) -> str:
    count = max(1, round(lines / BLOCK.count("\n")))
    return USERS + "\n".join(BLOCK.format(n=n) for n in range(count))


# The same block as it would be said in HCL, line for line.
HCL = """\
# What comes from the web form, as the marketing team asked for it.
stages "status_{n}" {{
    open    = {{ salesforce = "Open - Not Contacted", outreach = "Open", color = "#3b82f6" }}
    working = {{ salesforce = "Working - Contacted", outreach = "Working" }}
    won     = {{ salesforce = "Closed - Converted", outreach = "Converted" }}
    closed  = {{ salesforce = "Closed - Not Converted", outreach = "Closed" }}
    otherwise = "hold"
}}

fields "engagement_{n}" {{
    Current_Sequence_Name__c   = "sequence.name"
    Current_Sequence_Status__c = "sequence.status"
    Current_Sequence_Step__c   = "sequence.step_number"
}}

sync "Form_{n}__c" "prospect" {{
    match   = {{ Email__c = "emails" }}
    polling = {{ every = 10, when = IsConverted__c == false }}
    inbound_create = alltrue([
        Email__c != null,
        anytrue([HasOptedOutOfEmail__c == false, contains(["Hot", "Warm"], Rating__c)]),
        !(startswith(Company__c, "Test") || Company__c == null),
    ])
    inbound_update  = true
    pushing         = true
    outbound_update = stage.name != "Do Not Contact" && updatedAt > timeadd(timestamp(), "-720h")
    conflict        = "newest"
    title           = lower(trimspace(Title__c))

    fields {{
        First_Name__c = "firstName"
        Last_Name__c  = {{ to = "lastName", prevent_empty = true }}
        Email__c      = {{ to = "emails", prevent_empty = "inbound", prefer = "salesforce" }}
        Status__c     = {{ to = "stage", via = "status_{n}" }}
        OwnerId__c    = "owner"
        Phone__c      = "workPhones"
        City__c       = {{ to = "addressCity", when = Country__c == "US" }}
        Country__c    = "addressCountry"
        Score__c      = "score"        # the marketing team's, not ours
        locked        = true
        use           = ["engagement_{n}"]
    }}
    activities {{
        email_sent     = {{ from = "anywhere", to = "Task", title = "email_sent" }}
        email_received = {{ from = "anywhere", to = "Task" }}
        call_logged    = {{ to = "Task", title = "[Call] purpose" }}
        task_completed = {{ to = "Task", when = contains(["call", "email"], action) }}
    }}
}}
"""


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = perf_counter()
    work()
    return perf_counter() - start


def in_process(lines: int, rounds: int) -> dict[str, float]:
    text = rules(lines)
    bare = Lark(
        GRAMMAR_FILE.read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        keep_all_tokens=True,
        maybe_placeholders=False,
        postlex=AnyName(),
    )
    schema = shipped_schema()

    def lint() -> None:
        checked = check([Source("rules/all.sync", text)], schema, TEMPLATES)
        if checked.diagnostics:
            raise SystemExit(f"the bench's own rules are wrong: {checked.diagnostics[0]}")

    bare.parse(rules(100))
    lint()
    pairs = [(seconds(lambda: bare.parse(text)), seconds(lint)) for _ in range(rounds)]
    return {
        "lines": text.count("\n"),
        "bare_seconds": median(b for b, _ in pairs),
        "lint_seconds": median(each for _, each in pairs),
        "ratio": median(each / b for b, each in pairs),
        "target": 2.0,
    }


def beside_hcl(lines: int, rounds: int) -> dict[str, float]:
    from hcl2 import loads

    text = rules(lines)
    same = "\n".join(HCL.format(n=n) for n in range(text.count("\nsync ")))
    schema = shipped_schema()

    def lint() -> None:
        check([Source("rules/all.sync", text)], schema, TEMPLATES)

    loads(HCL.format(n=0))
    pairs = [(seconds(lambda: loads(same)), seconds(lint)) for _ in range(rounds)]
    return {
        "lines": same.count("\n"),
        "hcl_seconds": median(h for h, _ in pairs),
        "lint_seconds": median(each for _, each in pairs),
        "times_faster": median(h / each for h, each in pairs),
        "target": 5.0,
    }


def edit(lines: int, rounds: int) -> dict[str, float]:
    text = rules(lines)
    checker = Checker(shipped_schema(), TEMPLATES)
    checker.check([Source("rules/all.sync", text)])
    middle = text.index("prevent empty\n", len(text) // 2)
    taken = []
    for n in range(rounds):
        edited = text[:middle] + "prevent empty" + " once" * (n % 2) + "\n" + text[middle + 14 :]
        taken.append(seconds(lambda e=edited: checker.check([Source("rules/all.sync", e)])))
    return {"lines": text.count("\n"), "milliseconds": median(taken) * 1000, "target": 50.0}


BARE = """
import sys
from lark import Lark
class AnyName:
    always_accept = ("NAME",)
    def process(self, stream):
        return stream
with open(sys.argv[1], encoding="utf-8") as file:
    grammar = file.read()
with open(sys.argv[2], encoding="utf-8") as file:
    text = file.read()
Lark(grammar, parser="lalr", lexer="contextual", keep_all_tokens=True, maybe_placeholders=False,
     postlex=AnyName(), cache=sys.argv[3]).parse(text)
"""

LINT = """
import argparse, sys
from engine.cli.lint import register, run
parser = argparse.ArgumentParser()
register(parser)
sys.exit(run(parser.parse_args(sys.argv[1:]), None))
"""


def whole_process(lines: int, rounds: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "all.sync")
        file.write_text(rules(lines), encoding="utf-8")
        grammar = ROOT / "dsl" / "grammar.lark"
        cached = str(Path(cache_folder() or folder, "bench.lark"))
        bare = [sys.executable, "-c", BARE, str(grammar), str(file), cached]
        lint = [sys.executable, "-c", LINT, str(file)]

        # As installed: with byte code, but kept out of the checkout.
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        env["PYTHONPYCACHEPREFIX"] = str(Path(folder, "pycache"))

        def process(command: list[str]) -> None:
            subprocess.run(command, check=True, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)

        process(bare)
        process(lint)
        pairs = [
            (seconds(lambda: process(bare)), seconds(lambda: process(lint))) for _ in range(rounds)
        ]
        Path(cached).unlink(missing_ok=True)
    return {
        "lines": rules(lines).count("\n"),
        "bare_seconds": median(b for b, _ in pairs),
        "lint_seconds": median(each for _, each in pairs),
        "ratio": median(each / b for b, each in pairs),
        "target": 1.5,
    }


def again(lines: int, rounds: int) -> dict[str, float]:
    """The installed command on files that it has checked before, against `python -c pass`."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "all.sync").write_text(rules(lines), encoding="utf-8")
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        env |= {"PYTHONPYCACHEPREFIX": f"{folder}/pycache", "XDG_CACHE_HOME": f"{folder}/cache"}
        Path(folder, "cache").mkdir()
        lint = [str(Path(sys.executable).with_name("crosswalk")), "lint", "all.sync"]
        bare = [sys.executable, "-c", "pass"]

        def process(command: list[str]) -> None:
            subprocess.run(command, check=True, cwd=folder, env=env, stdout=subprocess.DEVNULL)

        process(bare)
        process(lint)
        process(lint)
        pairs = [
            (seconds(lambda: process(bare)), seconds(lambda: process(lint))) for _ in range(rounds)
        ]
    return {
        "lines": rules(lines).count("\n"),
        "python_seconds": median(b for b, _ in pairs),
        "lint_seconds": median(each for _, each in pairs),
        "ratio": median(each / b for b, each in pairs),
        "target": 3.0,
    }


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    results = {
        "lint of a project": in_process(1_000 if quick else 10_000, 3 if quick else 7),
        "lint beside python-hcl2": beside_hcl(200 if quick else 10_000, 1 if quick else 3),
        "lint as a process": whole_process(200, 3 if quick else 15),
        "lint again": again(1_000 if quick else 10_000, 5 if quick else 21),
        "an edit": edit(1_000 if quick else 10_000, 5 if quick else 21),
    }
    if "--json" in sys.argv[1:]:
        print(json.dumps(results, indent=2))
        return
    for name, got in results.items():
        figures = (f"{key} {value:,.4g}" for key, value in got.items())
        print(f"{name}: {', '.join(figures)}")


if __name__ == "__main__":
    main()
