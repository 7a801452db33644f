"""What is wrong with a service now, in words, and what is not known yet."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.pairs import spoken_pair
from engine.budget import State as Budget
from engine.model import Side
from engine.service.board import WAITING, Board

__all__ = ["is_open", "troubles"]

_SIDES = frozenset(side.value for side in Side)
_NEARLY = 80  # percent of a budget from which on people are told


def troubles(board: Board) -> Iterator[tuple[str, str]]:
    """What each trouble is about, which stays while it lasts, and in words."""
    for side, told in board.down.items():
        yield f"unreachable {side or 'side'}", told
    if board.ledger:
        yield "ledger", board.ledger
    if board.webhooks:
        yield "webhooks", f"Outreach's webhooks cannot be kept up: {board.webhooks}"
    if board.rules.findings:
        yield "rules", "the new rules are refused: " + "\n".join(board.rules.findings)
    for step, state in board.steps.items():
        if state.last in ("stopped", "failed") and state.trouble:
            yield f"stopped {step.pair} {step.direction}", state.trouble
    for pair, count in (board.held or {}).items():
        what = f"{count:,} {'record' if count == 1 else 'records'} of {spoken_pair(pair)}"
        yield f"held {pair}", f"{what} held or refused: `crosswalk review` says why"
    for each in board.budgets or ():
        yield from _nearly(each)


def is_open(board: Board, trouble: str) -> bool:
    """Whether nobody can tell yet if a trouble lasts, as after a restart: it is not over then."""
    kind, _, about = trouble.partition(" ")
    match kind:
        case "unreachable":
            return about in _SIDES - board.proven
        case "stopped":
            found = [s for s in board.steps.values() if f"{s.pair} {s.direction}" == about]
            return any(s.last in ("", WAITING) for s in found)
        case "held":
            return board.held is None
        case "budget":
            return board.budgets is None
    return False


def _nearly(budget: Budget) -> Iterator[tuple[str, str]]:
    if budget.threshold is not None and 100 * budget.used >= _NEARLY * budget.threshold:
        name = f"{budget.side.title()} {budget.scope} per {budget.period}"
        used = f"{budget.used:,} of {budget.threshold:,} calls are used"
        yield f"budget {name}", f"the budget {name}: {used}"
