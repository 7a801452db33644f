"""What each kind of activity takes from Outreach and writes to Salesforce, in the rule language.

Chosen as the Outreach plugin for Salesforce does, as far as its guide tells; see
`docs/guide/activities.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KINDS", "OUTSIDE", "Kind"]

# `mailingType` is `single`, `sequence` or `campaign` for what is sent in Outreach, `external` for
# what was sent outside it and seen through the mailbox, `reply` for what was received in a thread
# that began in Outreach, and `inbound` for what else was received. One that says none of these was
# sent in Outreach.
_SENT = 'deliveredAt is present and mailingType not in ("external", "reply", "inbound")'
_SENT_ANYWHERE = 'deliveredAt is present and mailingType not in ("reply", "inbound")'
_DONE = 'completed = true or completedAt is present or state = "completed"'
#: A meeting that will not take place.
_CANCELED = 'canceledAt is present or state in ("canceled", "cancelled")'


@dataclass(frozen=True)
class Kind:
    """One kind of activity.

    `takes` is the condition on the Outreach record, `anywhere` that of `from anywhere` where it is
    another one. `moment` says when it happened, `owner` whose it is. `lines` are those of a task
    beyond what all have. Kinds of one `label` are written to one record.
    """

    label: str
    takes: str
    moment: str
    anywhere: str = ""
    owner: str = "user"
    lines: tuple[str, ...] = ()


def _email(kind: str, takes: str, moment: str, anywhere: str = "", *, body: bool = False) -> Kind:
    lines = ('TaskSubtype <- "Email" once',)
    text = ("Description <- left(bodyText, 32000)",) if body else ()
    return Kind(kind, takes, moment, anywhere, lines=(*lines, *text))


def _text(kind: str, direction: str, moment: str) -> Kind:
    takes = f'direction = "{direction}" and ({moment} is present or deliveredAt is present)'
    lines = ('TaskSubtype <- "Task" once', "Description <- left(body, 32000)")
    return Kind(kind, takes, f"coalesce({moment}, deliveredAt)", lines=lines)


_CALL = (
    'TaskSubtype <- "Call" once',
    "Description <- left(note, 32000)",
    "CallDisposition <- callDisposition.name",
    'CallType <- "Inbound" when direction = "inbound"',
    'CallType <- "Outbound" when direction = "outbound"',
)
_TASK = ('TaskSubtype <- "Task" once', "Description <- left(note, 32000)")
_MEETING = ("Description <- left(description, 32000)",)

#: What holds of a record of each resource, besides its kind, for an activity to be taken.
OUTSIDE = "prospect is present"

KINDS: dict[str, Kind] = {
    "email sent": _email("email sent", _SENT, "deliveredAt", _SENT_ANYWHERE, body=True),
    "email received": _email(
        "email received",
        'mailingType = "reply"',
        "coalesce(deliveredAt, createdAt)",
        'mailingType in ("reply", "inbound")',
        body=True,
    ),
    **{
        f"email {word}": _email(
            f"email {word}",
            f"{_SENT} and {moment} is present",
            moment,
            f"{_SENT_ANYWHERE} and {moment} is present",
        )
        for word, moment in (
            ("opened", "openedAt"),
            ("clicked", "clickedAt"),
            ("replied", "repliedAt"),
        )
    },
    # What bounced was not delivered.
    "email bounced": _email(
        "email bounced",
        'bouncedAt is present and mailingType not in ("external", "reply", "inbound")',
        "bouncedAt",
        'bouncedAt is present and mailingType not in ("reply", "inbound")',
    ),
    "call logged": Kind(
        "call logged",
        'state = "completed" or completedAt is present',
        "coalesce(completedAt, answeredAt, dialedAt, createdAt)",
        lines=_CALL,
    ),
    "text sent": _text("text sent", "outbound", "sentAt"),
    "text received": _text("text received", "inbound", "receivedAt"),
    "task created": Kind("task", f"not ({_DONE})", "dueAt", owner="owner", lines=_TASK),
    "task completed": Kind(
        "task", _DONE, "coalesce(completedAt, stateChangedAt)", owner="owner", lines=_TASK
    ),
    "meeting booked": Kind("meeting", f"not ({_CANCELED})", "startTime", lines=_MEETING),
    "meeting rescheduled": Kind(
        "meeting",
        f"rescheduledAt is present and not ({_CANCELED})",
        "startTime",
        lines=_MEETING,
    ),
    "meeting canceled": Kind("meeting", _CANCELED, "startTime", lines=_MEETING),
}
