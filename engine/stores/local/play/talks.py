"""Calls, text messages and meetings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from engine.play.script import Act
from engine.stores.local.opening import folded
from engine.stores.local.play.scene import Scene, nothing
from engine.stores.local.stamps import between, later

__all__ = ["book", "call", "cancel", "move", "text", "text_from"]

_MEETING = timedelta(minutes=30)


def call(scene: Scene, act: Act) -> None:
    """A call that has just ended is logged; one that lasted no time was not answered."""
    prospect = scene.prospect(act.get("prospect"))
    lasted, inbound = act.get("for"), bool(act.get("inbound"))
    user = scene.user(act.get("by"), prospect.owner)
    began = scene.now if lasted is None else scene.after(-lasted)
    disposition, purpose = act.get("disposition"), act.get("purpose")
    written = {
        "direction": "inbound" if inbound else "outbound",
        "outcome": "no_answer" if lasted is None else "completed",
        "dialedAt": began,
        "answeredAt": None if lasted is None else began,
        "completedAt": scene.now,
        "note": act.get("note"),
        "recordingUrl": act.get("recording"),
        "from" if inbound else "to": prospect.phone,
        "callDisposition": disposition and scene.named("callDisposition", disposition),
        "callPurpose": purpose and scene.named("callPurpose", purpose),
        "prospect": prospect.id,
        "opportunity": prospect.opportunity,
        "user": user,
    }
    scene.make(
        "call",
        written,
        {"state": "completed", "stateChangedAt": scene.now, "uid": str(uuid4())},
    )
    scene.touched(prospect.id, **({"engagedAt": scene.now} if inbound else {}))


def text(scene: Scene, act: Act) -> None:
    """A text message goes out, and is delivered at once."""
    sent = {"sentAt": scene.now, "deliveredAt": scene.now}
    _text(scene, act, "outbound", "delivered", sent)


def text_from(scene: Scene, act: Act) -> None:
    """A text message comes in."""
    _text(scene, act, "inbound", "received", {"receivedAt": scene.now})


def _text(scene: Scene, act: Act, direction: str, state: str, stamped: dict[str, Any]) -> None:
    prospect = scene.prospect(act.get("prospect"))
    written = {
        "body": act.get("text"),
        "direction": direction,
        "state": state,
        "to" if direction == "outbound" else "from": prospect.phone,
        "prospect": prospect.id,
        "opportunity": prospect.opportunity,
        "user": scene.user(act.get("by"), prospect.owner),
    }
    scene.make("text", written, stamped)
    engaged = {"engagedAt": scene.now} if direction == "inbound" else {}
    scene.touched(prospect.id, **engaged)


# -- meetings -----------------------------------------------------------------------------------


def book(scene: Scene, act: Act) -> None:
    """A meeting is booked."""
    prospect = scene.prospect(act.get("prospect"))
    start, all_day = act.get("time"), bool(act.get("all"))
    lasts = act.get("for") or (timedelta(days=1) if all_day else _MEETING)
    written = {
        "subject": act.get("subject"),
        "startTime": start,
        "endTime": later(start, lasts),
        "allDay": all_day,
        "location": act.get("location"),
        "timeZone": "UTC",
        "state": "booked",
        "prospect": prospect.id,
        "opportunity": prospect.opportunity,
        "user": scene.user(act.get("by"), prospect.owner),
    }
    scene.make("meeting", written, {"bookedAt": scene.now})
    scene.touched(prospect.id, engagedAt=scene.now)


def move(scene: Scene, act: Act) -> None:
    """It is put off, and lasts as long as before."""
    meeting, prospect = _meeting(scene, act)
    start, end = scene.values("meeting", meeting, "startTime", "endTime")
    to = act.get("time")
    lasts = between(start, end) if start and end else _MEETING
    scene.edit("meeting", meeting, startTime=to, endTime=later(to, lasts), state="rescheduled")
    scene.change("meeting", meeting, rescheduledAt=scene.now)
    scene.touched(prospect)


def cancel(scene: Scene, act: Act) -> None:
    """It will not take place."""
    meeting, prospect = _meeting(scene, act)
    scene.edit("meeting", meeting, state="canceled")
    scene.change("meeting", meeting, canceledAt=scene.now)
    scene.touched(prospect)


def _meeting(scene: Scene, act: Act) -> tuple[int, int]:
    """The last meeting of the act's subject that is not canceled. Raises `Refused`."""
    sql = (
        "SELECT id, prospect FROM meeting WHERE folded(subject) = ? AND canceledAt IS NULL"
        " AND prospect IS NOT NULL"
    )
    values: list[Any] = [folded(act.get("subject"))]
    whose = ""
    if act.get("of") is not None:
        sql += " AND prospect = ?"
        values.append(scene.prospect(act.get("of")).id)
        whose = f" with {act.get('of')}"
    found = scene.ask("meeting", f"{sql} ORDER BY id DESC LIMIT 1", *values)
    if not found:
        raise nothing(f'meeting "{act.get("subject")}"{whose} that is to take place')
    return int(found[0][0]), int(found[0][1])
