"""Nothing is lost and nothing is made twice, wherever a run is cut off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from engine.ledger import Ledger
from engine.model import Outcome, Result, Write
from engine.ports import Unreachable
from tests.engine.world import O, S, World, world

RULES = """
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create
    inbound update
    pushing
    outbound update
    fields { LastName <-> lastName  Company <-> company  Email <-> emails  Title <-> title }
}
"""


class Killed(BaseException):
    """The process is gone: nothing catches this."""


class CutOff:
    """A real store that a test cuts off before or after its nth writing call."""

    def __init__(self, store: Any, call: int, after: bool, error: BaseException) -> None:
        self._store = store
        self._call = call
        self._after = after
        self._error = error
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        self.writes += 1
        if self.writes != self._call:
            return self._store.write(type_name, writes)  # type: ignore[no-any-return]
        if self._after:
            self._store.write(type_name, writes)
        raise self._error


def people(at: World, count: int, email: bool = True) -> None:
    for n in range(count):
        values = {"LastName": f"L{n}", "Company": f"C{n}"}
        at.create(S, "Lead", **values, **({"Email": f"p{n}@x.co"} if email else {}))


def assert_one_prospect_each(at: World, count: int) -> None:
    links = at.links("Lead<->prospect")
    prospects = at.all(O, "prospect", "lastName")
    assert len(links) == len(prospects) == count
    for lead, prospect in links.items():
        assert prospects[prospect] == (at.one(S, "Lead", lead, "LastName"),)


@pytest.mark.parametrize("email", [True, False])
@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("error", [Killed(), Unreachable("no answer")])
def test_a_create_whose_answer_never_came_is_not_made_twice(
    error: BaseException, after: bool, email: bool
) -> None:
    with world(RULES) as at:
        people(at, 5, email)
        at.stores[O] = CutOff(at.orgs[O], 1, after, error)
        with pytest.raises(type(error)):
            at.run()
        at.run()
        assert_one_prospect_each(at, 5)
        assert not any(at.run().counts.values())
        assert at.ledger.unanswered() == []


@pytest.mark.parametrize("after", [True, False])
def test_an_update_whose_answer_never_came_is_decided_again(after: bool) -> None:
    with world(RULES) as at:
        people(at, 3)
        at.run()
        for lead in at.links("Lead<->prospect"):
            at.edit(S, "Lead", lead, Title="CFO")
        at.stores[O] = CutOff(at.orgs[O], 1, after, Killed())
        with pytest.raises(Killed):
            at.run()
        at.run()
        assert set(at.all(O, "prospect", "title").values()) == {("CFO",)}
        assert not any(at.run().counts.values())


@pytest.mark.parametrize("step", range(1, 8))
def test_a_ledger_that_fails_at_any_commit_leaves_a_state_to_go_on_from(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(RULES) as at:
        people(at, 3)
        prospect = at.create(O, "prospect", emails=["p1@x.co"])
        count = 0

        def cut(method: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any) -> Any:
                nonlocal count
                count += 1
                if count == step:
                    raise Killed
                return method(*args)

            return call

        with monkeypatch.context() as patch:
            for name in ("begin", "commit", "intend", "finish"):
                patch.setattr(Ledger, name, cut(getattr(Ledger, name)))
            try:
                at.run()
            except Killed:
                pass
            else:
                assert count < step
        at.run()
        assert prospect in at.links("Lead<->prospect").values()
        assert len(at.all(O, "prospect")) == 3
        at.run()
        assert not any(at.run().counts.values())


def test_a_stop_between_two_batches_leaves_the_rest_to_the_next_run() -> None:
    with world(RULES) as at:
        at.orgs[S].page_size = at.orgs[O].page_size = 2
        people(at, 7)
        asked = iter([False, False, True])
        summary = at.run(stop=lambda: next(asked))
        assert summary.status == "stopped"
        assert len(at.all(O, "prospect")) == 4
        at.run()
        assert_one_prospect_each(at, 7)


def test_a_transient_refusal_is_tried_again_in_the_next_run() -> None:
    class Busy(CutOff):
        def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
            self.writes += 1
            if self.writes > 1:
                return self._store.write(type_name, writes)  # type: ignore[no-any-return]
            done = self._store.write(type_name, writes[1:])
            return [Result(Outcome.TRANSIENT, None, "UNABLE_TO_LOCK_ROW", "row"), *done]

    with world(RULES) as at:
        people(at, 3)
        at.stores[O] = Busy(at.orgs[O], 0, False, Killed())
        summary = at.run()
        assert (summary.counts["created"], summary.counts["failed"]) == (2, 1)
        assert at.run().counts["created"] == 1
        assert_one_prospect_each(at, 3)


def test_a_user_who_edits_after_a_write_that_was_not_heard_of_is_not_overruled_by_it() -> None:
    with world(RULES) as at:
        lead = at.create(S, "Lead", LastName="L", Company="C", Email="a@x.co", Title="made")
        for title in ("edited", "edited again", None):
            at.stores[O] = CutOff(at.orgs[O], 1, True, Unreachable("no answer"))
            with pytest.raises(Unreachable):
                at.run()
            at.edit(S, "Lead", lead, Title=title)
            at.stores[O] = at.orgs[O]
            assert at.run().counts["conflicts"] == 0
            assert at.one(O, "prospect", 1, "title") == title
            assert at.one(S, "Lead", lead, "Title") == title
            at.edit(S, "Lead", lead, Title=f"not {title}")


def test_an_edit_while_the_other_direction_is_written_goes_through_afterwards() -> None:
    class Slow(CutOff):
        """A user edits what is about to be written, in a field of the other direction."""

        def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
            at.edit(S, "Lead", lead, Title="second")
            return self._store.write(type_name, writes)  # type: ignore[no-any-return]

    with world(RULES) as at:
        lead = at.create(S, "Lead", LastName="L", Company="C", Email="a@x.co")
        at.run()
        at.edit(S, "Lead", lead, Title="first")
        at.edit(O, "prospect", 1, company="D")
        at.stores[S] = Slow(at.orgs[S], 0, False, Killed())
        at.run()
        at.stores[S] = at.orgs[S]
        at.run()
        assert at.one(O, "prospect", 1, "title", "company") == ("second", "D")
