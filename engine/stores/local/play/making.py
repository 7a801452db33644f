"""Mailings and tasks as they begin, by hand or by a step of a sequence."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from engine.stores.local.play.scene import Prospect, Scene

__all__ = ["OURS", "deliver", "make_task"]

#: `mailingType` of what is sent in Outreach, and tracked.
OURS = ("single", "sequence")


def deliver(
    scene: Scene,
    prospect: Prospect,
    user: int | None,
    mailing_type: str,
    subject: str,
    body: str | None,
    **more: Any,
) -> int:
    """Make a mailing that is delivered; its id. `more` are what only Outreach sets."""
    tracked = mailing_type in OURS
    written = {
        "subject": subject,
        "bodyHtml": None if body is None else f"<p>{body}</p>",
        "state": "delivered",
        "prospect": prospect.id,
        "trackOpens": tracked,
        "trackLinks": tracked,
    }
    address = scene.values("user", user, "email")[0] if user is not None else None
    stamped = {
        "bodyText": body,
        "mailingType": mailing_type,
        "deliveredAt": scene.now,
        "stateChangedAt": scene.now,
        "mailboxAddress": address,
        "messageId": f"<{uuid4()}@mail.local>",
        "openCount": 0,
        "clickCount": 0,
        "user": user,
        "opportunity": prospect.opportunity,
    }
    return scene.make("mailing", written, stamped | more)


def make_task(
    scene: Scene,
    prospect: Prospect,
    user: int | None,
    action: str,
    note: str | None,
    due: str,
    task_type: str = "manual",
    **more: Any,
) -> int:
    """Make a task that is to be done; its id. `more` are what only Outreach sets."""
    written = {
        "action": action,
        "note": note,
        "dueAt": due,
        "owner": user,
        "subject": prospect.id,
        "prospectOwner": prospect.owner,
        "opportunityAssociation": "recent_created",
    }
    stamped = {
        "state": "incomplete",
        "completed": False,
        "taskType": task_type,
        "prospect": prospect.id,
        "account": prospect.account,
        "opportunity": prospect.opportunity,
        "creator": user,
    }
    return scene.make("task", written, stamped | more)
