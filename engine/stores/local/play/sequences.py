"""Prospects in sequences: in, on from step to step, and out.

A step that sends by itself sends at once; any other leaves a task. Whenever a prospect's place in a
sequence changes, the prospect is stamped too, so that `sequence.…`, which is read through it, is
kept current by whoever watches prospects. In Outreach the stamp that moves for this is `touchedAt`.
"""

from __future__ import annotations

from typing import Any

from engine.play.script import Act
from engine.stores.local.opening import folded
from engine.stores.local.org import OrgFile
from engine.stores.local.play.making import deliver, make_task
from engine.stores.local.play.scene import Scene, nothing
from engine.stores.local.refusals import Refused

__all__ = [
    "RUNNING",
    "act_on",
    "add",
    "advance",
    "begin",
    "finish",
    "go_on",
    "leave",
    "make_sequence",
    "opt_out",
    "pause",
    "resume",
]

#: The states of one who is still in a sequence.
RUNNING = ("active", "pending", "paused", "paused_ooto")
#: The states in which each of Outreach's own actions makes sense.
_MAY = {"finish": RUNNING, "pause": ("active", "pending"), "resume": ("paused", "paused_ooto")}
#: What a step of each type asks of the salesperson, as a task's `action` and `taskType`; an
#: `auto_email` asks nothing.
_ASKS = {
    "manual_email": ("email", "sequence_step_email"),
    "call": ("call", "sequence_step_call"),
    "task": ("action_item", "sequence_step_task"),
}


def make_sequence(scene: Scene, act: Act) -> None:
    """A sequence that is turned on, a day from step to step."""
    if scene.ask(
        "sequence", "SELECT 1 FROM sequence WHERE folded(name) = ?", folded(act.get("name"))
    ):
        raise Refused(
            "validationError", f"'name': there is a sequence \"{act.get('name')}\" already"
        )
    user, steps = scene.user(act.get("by")), act.get("steps")
    sequence = scene.make(
        "sequence",
        {"name": act.get("name"), "finishOnReply": True, "owner": user, "sequenceType": "interval"},
        {
            "enabled": True,
            "enabledAt": scene.now,
            "locked": False,
            "sequenceStepCount": len(steps),
            "durationInDays": len(steps) - 1,
            "creator": user,
        },
    )
    for order, step in enumerate(steps, 1):
        words = step.replace("_", " ").title()
        scene.make(
            "sequenceStep",
            {"order": order, "stepType": step, "sequence": sequence, "interval": 1440},
            {"displayName": f"Step #{order} ({words})", "creator": user},
        )


def add(scene: Scene, act: Act) -> None:
    """A prospect enters a sequence, and its first step begins."""
    prospect = scene.prospect(act.get("prospect"))
    (opted,) = scene.values("prospect", prospect.id, "optedOut")
    if opted:
        raise Refused("validationError", f"prospect {act.get('prospect')} has opted out")
    sql = "SELECT id FROM sequence WHERE folded(name) = ? ORDER BY id LIMIT 1"
    found = scene.ask("sequence", sql, folded(act.get("name")))
    if not found:
        raise nothing(f'sequence "{act.get("name")}"; make one with `make sequence`')
    [(sequence,)] = found
    if any(s == sequence for _, s in _states(scene, prospect.id)):
        raise Refused(
            "validationError", f'prospect {act.get("prospect")} is in "{act.get("name")}" already'
        )
    user = scene.user(act.get("by"), prospect.owner)
    state = scene.make(
        "sequenceState",
        {"prospect": prospect.id, "sequence": sequence, "user": user},
        {
            "state": "active",
            "activeAt": scene.now,
            "stateChangedAt": scene.now,
            "creator": user,
            "account": prospect.account,
            "opportunity": prospect.opportunity,
        },
    )
    scene.change("sequence", sequence, lastUsedAt=scene.now)
    _begin(scene, state, 0)


def advance(scene: Scene, act: Act) -> None:
    """On to the next step; what the last one asked for is let be."""
    state = _current(scene, act)
    go_on(scene, state)


def go_on(scene: Scene, state: int) -> None:
    """Begin the step after the one that a state is at, or finish after the last."""
    (step,) = scene.values("sequenceState", state, "sequenceStep")
    order = scene.values("sequenceStep", step, "order")[0] if step is not None else 0
    _begin(scene, state, order)


def begin(org: OrgFile, state: int, moment: str) -> None:
    """Begin the first step of a state that was just made, if its sequence has any."""
    scene = Scene(org, moment)
    (sequence,) = scene.values("sequenceState", state, "sequence")
    if scene.ask("sequenceStep", "SELECT 1 FROM sequenceStep WHERE sequence = ?", sequence):
        _begin(scene, state, 0)


def act_on(org: OrgFile, state: int, action: str) -> None:
    """Finish, pause or resume, as Outreach's actions of a sequence state do. Raises `Refused`."""
    with org.transaction() as moment:
        scene = Scene(org, moment)
        found = scene.ask("sequenceState", "SELECT state FROM sequenceState WHERE id = ?", state)
        if not found:
            raise nothing(f"sequenceState {state}")
        was = found[0][0]
        if was not in _MAY[action]:
            raise Refused("validationError", f"a sequence state that is {was} cannot {action}")
        if action == "finish":
            leave(scene, state, "finished")
        elif action == "pause":
            _set(scene, state, "paused", pauseReason="manual")
        else:
            _set(scene, state, "active", pauseReason=None, activeAt=scene.now)


def pause(scene: Scene, act: Act) -> None:
    """The sequence stands still."""
    _set(scene, _current(scene, act), "paused", pauseReason="manual")


def resume(scene: Scene, act: Act) -> None:
    """The sequence goes on."""
    _set(scene, _current(scene, act), "active", pauseReason=None, activeAt=scene.now)


def finish(scene: Scene, act: Act) -> None:
    """The prospect leaves its sequence."""
    leave(scene, _current(scene, act), "finished")


def opt_out(scene: Scene, act: Act) -> None:
    """The prospect wants no more mail, and leaves all its sequences."""
    prospect = scene.prospect(act.get("prospect"))
    scene.edit("prospect", prospect.id, optedOut=True, emailOptedOut=True)
    scene.change(
        "prospect",
        prospect.id,
        optedOutAt=scene.now,
        emailsOptStatus="opted_out",
        emailsOptedAt=scene.now,
    )
    for state, _ in _states(scene, prospect.id):
        scene.count("sequenceState", state, "optOutCount")
        leave(scene, state, "opted_out")


# -- one prospect's place -----------------------------------------------------------------------


def leave(scene: Scene, state: int, how: str) -> None:
    """End a state that runs; what was still to be done for it is no more."""
    (was,) = scene.values("sequenceState", state, "state")
    if was in RUNNING:
        _let_be(scene, state)
        _set(scene, state, how)


def _states(scene: Scene, prospect: int) -> list[tuple[Any, ...]]:
    marks = ", ".join("?" * len(RUNNING))
    sql = (
        f"SELECT id, sequence FROM sequenceState WHERE prospect = ? AND state IN ({marks})"
        " ORDER BY id DESC"
    )
    return scene.ask("sequenceState", sql, prospect, *RUNNING)


def _current(scene: Scene, act: Act) -> int:
    """The state that runs, the latest if there are several. Raises `Refused`."""
    states = _states(scene, scene.prospect(act.get("prospect")).id)
    if not states:
        raise nothing(f"sequence that {act.get('prospect')} is in")
    return int(states[0][0])


def _set(scene: Scene, state: int, to: str, **more: Any) -> None:
    scene.change("sequenceState", state, state=to, stateChangedAt=scene.now, **more)
    scene.touched(scene.values("sequenceState", state, "prospect")[0])


def _begin(scene: Scene, state: int, after: int) -> None:
    """Begin the first step behind `after`, and finish if there is none."""
    _let_be(scene, state)
    (sequence,) = scene.values("sequenceState", state, "sequence")
    sql = (
        'SELECT id, "order", stepType, taskNote FROM sequenceStep WHERE sequence = ?'
        ' AND "order" > ? ORDER BY "order" LIMIT 1'
    )
    found = scene.ask("sequenceStep", sql, sequence, after)
    if not found:
        leave(scene, state, "finished")
        return
    [(step, order, kind, note)] = found
    _set(scene, state, "active", sequenceStep=step)
    of = {"sequence": sequence, "sequenceState": state, "sequenceStep": step}
    if kind == "auto_email":
        _send(scene, state, order, of)
    else:
        _ask(scene, state, kind, note, of)


def _send(scene: Scene, state: int, order: int, of: dict[str, int]) -> None:
    prospect, user = scene.values("sequenceState", state, "prospect", "user")
    (name,) = scene.values("sequence", of["sequence"], "name")
    subject = f"{name}: step {order}"
    deliver(scene, scene.prospect(str(prospect)), user, "sequence", subject, None, **of)
    for type_name, record in of.items():
        scene.count(type_name, record, "deliverCount")


def _ask(scene: Scene, state: int, kind: str, note: str | None, of: dict[str, int]) -> None:
    prospect, user = scene.values("sequenceState", state, "prospect", "user")
    action, task_type = _ASKS.get(kind, (kind, "sequence_step_task"))
    make_task(
        scene,
        scene.prospect(str(prospect)),
        user,
        action,
        note,
        scene.now,
        task_type=task_type,
        **of,
    )


def _let_be(scene: Scene, state: int) -> None:
    """Outreach takes back the tasks of a step that is left."""
    sql = "SELECT id FROM task WHERE sequenceState = ? AND NOT completed"
    scene.drop("task", [row[0] for row in scene.ask("task", sql, state)])
