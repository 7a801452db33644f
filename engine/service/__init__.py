"""A project at work on its schedule: one worker for all that writes, and what stands around it."""

from engine.service.service import Host, Service
from engine.service.state import Drawn, Letting, RulesState, Running, State, Step, StepState

__all__ = [
    "Drawn",
    "Host",
    "Letting",
    "RulesState",
    "Running",
    "Service",
    "State",
    "Step",
    "StepState",
]
