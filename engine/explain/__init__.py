"""Why a record did or did not sync: the decision on it, with everything that it rests on."""

from engine.explain.account import Unknown, explain

__all__ = ["Unknown", "explain"]
