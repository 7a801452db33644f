"""Acts in any order and a fault at any call: hypothesis looks for the shortest that goes wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.sim.people import TYPES, Fault, People

_CYCLES = 3
which = st.integers(0, 4)
types = st.sampled_from(TYPES)
people = st.sampled_from(["Contact", "Lead", "prospect"])
keys = st.sampled_from(["a", "b", None])


class Machine(RuleBasedStateMachine):
    """Users and cycles on the real engine; whatever was done, it ends in agreement."""

    def __init__(self) -> None:
        super().__init__()
        self.people = People()

    @rule(type_name=types, key=keys, kind=st.sampled_from(["lead", None]))
    def create(self, type_name: str, key: str | None, kind: str | None) -> None:
        self.people.create(type_name, key, kind)

    @rule(type_name=types, number=which, field=st.integers(0, 9), blank=st.booleans())
    def edit(self, type_name: str, number: int, field: int, blank: bool) -> None:
        self.people.edit(type_name, number, field, blank=blank)

    @rule(type_name=types, number=which)
    def edit_unmapped(self, type_name: str, number: int) -> None:
        self.people.edit_unmapped(type_name, number)

    @rule(type_name=people, number=which, key=keys)
    def readdress(self, type_name: str, number: int, key: str | None) -> None:
        self.people.readdress(type_name, number, key)

    @rule(type_name=types, number=which)
    def delete(self, type_name: str, number: int) -> None:
        self.people.delete(type_name, number)

    @rule(type_name=types, number=which)
    def undelete(self, type_name: str, number: int) -> None:
        self.people.undelete(type_name, number)

    @rule(type_name=st.sampled_from(["Contact", "Lead", "Account"]), master=which, loser=which)
    def merge(self, type_name: str, master: int, loser: int) -> None:
        self.people.merge(type_name, master, loser)

    @rule(number=which, other=st.one_of(st.none(), which))
    def convert(self, number: int, other: int | None) -> None:
        self.people.convert(number, other)

    @rule()
    def sync(self) -> None:
        self.people.cycle()

    @rule(call=st.integers(1, 40), after=st.booleans(), dies=st.booleans())
    def crash(self, call: int, after: bool, dies: bool) -> None:
        self.people.cycle(Fault(call, after=after, dies=dies))

    @rule()
    def agree(self) -> None:
        for _ in range(_CYCLES):
            self.people.cycle()
        amiss = self.people.amiss()
        assert not amiss
        assert not self.people.cycle(), "a fourth cycle still had something to do"

    @invariant()
    def nothing_is_forbidden_or_made_twice(self) -> None:
        assert not self.people.wrongs
        assert not self.people.doubles()

    def teardown(self) -> None:
        try:
            self.agree()
        finally:
            self.people.at.close()


QUICK: Any = {
    "max_examples": 35,
    "stateful_step_count": 20,
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}


def test_whatever_is_done_in_whatever_order_ends_in_agreement() -> None:
    run_state_machine_as_test(Machine, settings=settings(**QUICK, derandomize=True))


@pytest.mark.long
@pytest.mark.parametrize("start", range(20))
def test_a_long_search_for_what_does_not_end_in_agreement(start: int) -> None:
    machine = seed(20261124 + start)(type(f"Machine{start}", (Machine,), {}))
    long = QUICK | {"max_examples": 150, "stateful_step_count": 40}
    run_state_machine_as_test(machine, settings=settings(**long))
