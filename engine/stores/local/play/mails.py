"""Mails, in and out, and what becomes of them.

`mailingType` is `single` or `sequence` for what is sent in Outreach, `external` for what was sent
past it, `reply` for an answer to one of ours, and `inbound` for what else came in.
"""

from __future__ import annotations

from typing import Any

from engine.play.script import Act
from engine.stores.local.opening import folded
from engine.stores.local.play.making import OURS, deliver
from engine.stores.local.play.scene import Prospect, Scene, nothing
from engine.stores.local.play.sequences import leave

__all__ = ["bounce", "click", "mail", "open_", "receive", "reply", "send"]

_OF_SEQUENCE = ("sequence", "sequenceState", "sequenceStep")


def send(scene: Scene, act: Act) -> None:
    """A mail goes out, and is delivered at once."""
    prospect = scene.prospect(act.get("prospect"))
    user = scene.user(act.get("by"), prospect.owner)
    deliver(scene, prospect, user, "single", act.get("subject"), act.get("body"))
    scene.touched(prospect.id)


def mail(scene: Scene, act: Act) -> None:
    """A mail sent past Outreach: delivered, but not tracked."""
    prospect = scene.prospect(act.get("prospect"))
    user = scene.user(act.get("by"), prospect.owner)
    deliver(scene, prospect, user, "external", act.get("subject"), act.get("body"))


# -- what becomes of one ------------------------------------------------------------------------


def open_(scene: Scene, act: Act) -> None:
    """The prospect opens one of our mails; `openedAt` is the last time."""
    mailing, prospect = _found(scene, act, OURS)
    _opened(scene, mailing, prospect)


def _opened(scene: Scene, mailing: int, prospect: int) -> None:
    (state,) = scene.values("mailing", mailing, "state")
    kept = state if state == "replied" else "opened"
    changed = {"stateChangedAt": scene.now} if kept != state else {}
    _count(scene, mailing, prospect, "openCount")
    scene.change("mailing", mailing, openedAt=scene.now, state=kept, **changed)
    scene.change("prospect", prospect, engagedAt=scene.now)


def click(scene: Scene, act: Act) -> None:
    """The prospect clicks a link; who clicks has opened."""
    mailing, prospect = _found(scene, act, OURS)
    if scene.values("mailing", mailing, "openedAt")[0] is None:
        _opened(scene, mailing, prospect)
    _count(scene, mailing, prospect, "clickCount")
    scene.change("mailing", mailing, clickedAt=scene.now)
    scene.change("prospect", prospect, engagedAt=scene.now)


def reply(scene: Scene, act: Act) -> None:
    """The prospect answers: a mailing of its own comes in, and a sequence may end by it."""
    mailing, prospect = _found(scene, act, (*OURS, "external"))
    kind, message, user, state = scene.values(
        "mailing", mailing, "mailingType", "messageId", "user", "sequenceState"
    )
    scene.change("mailing", mailing, repliedAt=scene.now, state="replied", stateChangedAt=scene.now)
    _come_in(
        scene,
        scene.prospect(str(prospect)),
        user,
        "reply" if kind in OURS else "inbound",
        f"Re: {act.get('subject')}",
        act.get("text"),
        references=[message],
    )
    _count(scene, mailing, prospect, "replyCount", on_mailing=False)
    if state is not None:
        scene.change("sequenceState", state, repliedAt=scene.now)
        if _finishes_on_reply(scene, state):
            leave(scene, state, "finished")


def _finishes_on_reply(scene: Scene, state: int) -> bool:
    (sequence,) = scene.values("sequenceState", state, "sequence")
    return scene.values("sequence", sequence, "finishOnReply")[0] in (None, 1)


def bounce(scene: Scene, act: Act) -> None:
    """A mail comes back: it was not delivered, and its sequence breaks off."""
    mailing, prospect = _found(scene, act, (*OURS, "external"))
    scene.change(
        "mailing",
        mailing,
        state="bounced",
        bouncedAt=scene.now,
        deliveredAt=None,
        stateChangedAt=scene.now,
        errorReason="550 5.1.1 The email account that you tried to reach does not exist",
    )
    (state,) = scene.values("mailing", mailing, "sequenceState")
    _count(scene, mailing, prospect, "bounceCount", on_mailing=False, on_prospect=False)
    scene.change("prospect", prospect)
    if state is not None:
        leave(scene, state, "bounced")


def receive(scene: Scene, act: Act) -> None:
    """A mail comes in that answers none of ours."""
    prospect = scene.prospect(act.get("prospect"))
    user = scene.user(act.get("by"), prospect.owner)
    _come_in(scene, prospect, user, "inbound", act.get("subject"), act.get("body"))


def _come_in(
    scene: Scene,
    prospect: Prospect,
    user: int | None,
    kind: str,
    subject: str,
    body: str | None,
    **more: Any,
) -> None:
    deliver(scene, prospect, user, kind, subject, body, **more)
    scene.change("prospect", prospect.id, engagedAt=scene.now)


# -- which one ----------------------------------------------------------------------------------


def _found(scene: Scene, act: Act, kinds: tuple[str, ...]) -> tuple[int, int]:
    """The last mail of the act's subject, and its prospect. Raises `Refused`."""
    marks = ", ".join("?" * len(kinds))
    sql = (
        f"SELECT id, prospect FROM mailing WHERE folded(subject) = ? AND mailingType IN ({marks})"
        " AND prospect IS NOT NULL AND bouncedAt IS NULL"
    )
    values: list[Any] = [folded(act.get("subject")), *kinds]
    whose = ""
    if act.get("of") is not None:
        sql += " AND prospect = ?"
        values.append(scene.prospect(act.get("of")).id)
        whose = f" to {act.get('of')}"
    found = scene.ask("mailing", f"{sql} ORDER BY id DESC LIMIT 1", *values)
    if not found:
        raise nothing(f'mail "{act.get("subject")}"{whose} that was delivered')
    return int(found[0][0]), int(found[0][1])


def _count(
    scene: Scene,
    mailing: int,
    prospect: int,
    name: str,
    *,
    on_mailing: bool = True,
    on_prospect: bool = True,
) -> None:
    """Count on all that counts it: the mail, the prospect, and the sequence that it is of."""
    if on_mailing:
        scene.count("mailing", mailing, name)
    if on_prospect:
        scene.count("prospect", prospect, name)
    of = scene.values("mailing", mailing, *_OF_SEQUENCE)
    for type_name, record in zip(_OF_SEQUENCE, of, strict=True):
        scene.count(type_name, record, name)
