"""Runs the tests that stand in rule files, on the real interpreter and empty orgs in memory.

A test is what users do and what the cycles between make of it. Each statement and each cycle takes
a minute of a clock that starts at 2026-11-23T09:30:00Z, so the later of two edits is the newer one.

- `given` makes records. What a user could not write (a formula, a system field) is set all the
  same. A required field that the test leaves out takes the value of the record on the other side
  that it is linked with or will match, else a made-up one (`Test`), so that it makes no conflict.
- `given A linked B` links them as agreed: what they hold is their base, equal or not.
- A reference is the name or e-mail address of a record that the test gives, before or after, or of
  one made for it. Two made for one name, one on either side, are linked.
- `when` is a user's edit, refused where the vendor would; read-only fields are set by the vendor.
  One value for a list attribute goes first and the others stay. Of several records of the type, it
  changes the one that has the same match key, or else the first. Of a type that is not given, it
  changes what a first cycle has made.
- Cycles run before the first `when` if a record is unlinked then, and before each `expect`, until
  one changes nothing, three at the most: rules that then still write something fail the test.
- `expect RECORD` looks for any record of the type that holds these values, in canonical form; a
  list attribute by its first element, or as a whole where a list is written. `expect no TYPE` means
  none at all. Conflicts count since the `expect` before the last `given` or `when`.
"""

from __future__ import annotations

from engine.rule_tests.coverage import Coverage, TermSeen, ToggleSeen
from engine.rule_tests.failures import Failure
from engine.rule_tests.rules import Rules
from engine.rule_tests.run import Result, run_test

__all__ = ["Coverage", "Failure", "Result", "Rules", "TermSeen", "ToggleSeen", "run_test"]
