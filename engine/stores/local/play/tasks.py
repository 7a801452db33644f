"""Tasks: to be done, and done, which only Outreach's own action `markComplete` may say."""

from __future__ import annotations

from engine.play.script import Act
from engine.stores.local.org import OrgFile
from engine.stores.local.play.making import make_task
from engine.stores.local.play.scene import Scene, nothing
from engine.stores.local.play.sequences import go_on, leave
from engine.stores.local.refusals import Refused

__all__ = ["advance", "complete", "complete_for", "mark_complete", "task"]


def task(scene: Scene, act: Act) -> None:
    """A task is made by hand; it is due at once unless the act says when."""
    prospect = scene.prospect(act.get("prospect"))
    user = scene.user(act.get("by"), prospect.owner)
    due = scene.after(act.get("due")) if act.get("due") is not None else scene.now
    make_task(scene, prospect, user, act.get("action"), act.get("note"), due)


def complete_for(scene: Scene, act: Act) -> None:
    """The prospect's task that is due first is done."""
    prospect = scene.prospect(act.get("prospect"))
    sql = "SELECT id FROM task WHERE prospect = ? AND NOT completed ORDER BY dueAt, id LIMIT 1"
    found = scene.ask("task", sql, prospect.id)
    if not found:
        raise nothing(f"task to be done for {act.get('prospect')}")
    _complete(scene, found[0][0], act.get("by"))


def complete(scene: Scene, act: Act) -> None:
    """A task is done."""
    _complete(scene, act.get("id"), act.get("by"))


def mark_complete(
    org: OrgFile, record: int, by: str | None = None, *, finishes: bool = False
) -> None:
    """Outreach's `POST /tasks/{id}/actions/markComplete`. Raises `Refused`."""
    with org.transaction() as moment:
        _complete(Scene(org, moment), record, by, finishes)


def advance(org: OrgFile, record: int) -> None:
    """Outreach's `POST /tasks/{id}/actions/advance`: the task is let be. Raises `Refused`."""
    with org.transaction() as moment:
        scene = Scene(org, moment)
        found = scene.ask("task", "SELECT sequenceState FROM task WHERE id = ?", record)
        if not found:
            raise nothing(f"task {record}")
        if found[0][0] is None:
            raise Refused("validationError", f"task {record} is of no sequence")
        go_on(scene, found[0][0])


def _complete(scene: Scene, record: int, by: str | None, finishes: bool = False) -> None:
    """Done: its prospect is touched, and the sequence that asked for it goes on, or finishes."""
    columns = "completed, owner, prospect, sequenceState"
    found = scene.ask("task", f"SELECT {columns} FROM task WHERE id = ?", record)
    if not found:
        raise nothing(f"task {record}")
    [(completed, owner, prospect, state)] = found
    if completed:
        raise Refused("validationError", f"task {record} is completed already")
    scene.change(
        "task",
        record,
        state="complete",
        completed=True,
        completedAt=scene.now,
        stateChangedAt=scene.now,
        completer=scene.user(by, owner),
    )
    if prospect is not None:
        scene.touched(prospect)
    if state is not None and finishes:
        leave(scene, state, "finished")
    elif state is not None:
        go_on(scene, state)
