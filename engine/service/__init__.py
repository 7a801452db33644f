"""A project at work on its schedule: one worker for all that writes, and what stands around it."""

from engine.service.agenda import Pace
from engine.service.service import Service
from engine.service.state import Drawn, Letting, RulesState, Running, State, Step, StepState
from engine.service.worker import Host

__all__ = [
    "Drawn",
    "Host",
    "Letting",
    "Pace",
    "RulesState",
    "Running",
    "Service",
    "State",
    "Step",
    "StepState",
]
