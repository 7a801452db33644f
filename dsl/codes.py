"""The table of all findings: code, name, severity, and what it is in one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CODES", "Code", "Severity"]


class Severity(StrEnum):
    """How much a finding matters: `lint` fails on an error."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding, as documentation and output name it."""

    code: str
    name: str
    severity: Severity
    summary: str

    @property
    def silenceable(self) -> bool:
        """Whether `# lint: allow` may silence it: not where what it finds cannot run as written."""
        return self.code not in _LEFT_OUT


# What these find is not part of the program, so that silence would mean a rule that does nothing.
_LEFT_OUT = {
    *("CW101", "CW102", "CW103", "CW104"),
    *("CW201", "CW202", "CW203", "CW204", "CW207", "CW209", "CW301"),
}

_E, _W = Severity.ERROR, Severity.WARNING

_TABLE = (
    Code("CW101", "syntax-error", _E, "what stands there is not part of the language"),
    Code("CW102", "unknown-version", _E, "a language version that this program does not know"),
    Code("CW103", "given-twice", _E, "a clause, modifier or item given twice"),
    Code("CW104", "idle-suppression", _W, "a suppression without a why, or that silences nothing"),
    Code("CW201", "unknown-type", _E, "an object or resource type that does not exist"),
    Code("CW202", "unknown-field", _E, "a field or path that does not exist"),
    Code("CW203", "type-mismatch", _E, "two values of types that do not go together"),
    Code("CW204", "unwritable-target", _E, "the target of a field line cannot be written"),
    Code("CW205", "unknown-value", _E, "a value that the picklist or stage list does not have"),
    Code("CW206", "required-unmapped", _E, "a create is on, and a required field is not mapped"),
    Code("CW207", "unknown-name", _E, "a group, map or template that is not defined"),
    Code("CW208", "invalid-title", _E, "a title template that cannot be rendered"),
    Code("CW209", "invalid-call", _E, "an unknown function or a wrong number of arguments"),
    Code("CW301", "duplicate-sync", _E, "two `sync` blocks for one pair of types"),
    Code("CW302", "duplicate-target", _E, "two lines write one field in the same direction"),
    Code("CW303", "never-holds", _E, "a condition that can never hold"),
    Code("CW304", "always-holds", _W, "a condition that always holds"),
    Code("CW305", "idle-toggle", _W, "a toggle without effect"),
    Code("CW306", "ambiguous-map", _E, "one label of a map leads back to two"),
    Code("CW307", "feedback-loop", _E, "field lines through which a change can run on forever"),
    Code("CW308", "invalid-regex", _E, "a regular expression that is invalid"),
    Code("CW309", "impossible-budget", _E, "a budget or guard that cannot hold"),
    Code("CW401", "risky-create", _W, "outbound create on Account or Opportunity"),
    Code("CW402", "noisy-activity", _W, "email opens or clicks are on"),
    Code("CW403", "hasty-polling", _W, "polling too often, or more calls than the budget has"),
    Code("CW404", "outbound-opportunity", _W, "an outbound toggle on Opportunity"),
    Code("CW405", "idle-fallback", _W, "`fallback association` beside a sync of Opportunity"),
    Code("CW406", "owner-without-users", _W, "an owner is mapped and there is no sync of User"),
    Code("CW407", "loose-stage", _W, "a status or stage without `via`, or one way only"),
    Code("CW408", "opt-out-reversal", _W, "a mapping that can turn an opt-out back off"),
    Code("CW409", "blanks-required", _W, "a write can blank a field that the other side requires"),
    Code("CW410", "disagreeing-syncs", _W, "two syncs map one attribute in different ways"),
    Code("CW411", "double-create", _W, "two syncs can both create one record"),
    Code("CW412", "unmapped-value", _W, "a value of the org's picklist that a map leaves out"),
)

CODES: Mapping[str, Code] = {code.code: code for code in _TABLE}
