"""The table of acts: how each is written, and what it does."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ACTS", "HELP", "ActForm"]


@dataclass(frozen=True, slots=True)
class ActForm:
    """One way to write an act.

    In `usage`, words in capitals stand for what is to be filled in (`slots.py`), others for
    themselves; parts in brackets may be left out, and stand in any order. `name` is the act's.
    """

    name: str
    usage: str
    does: str


ACTS = (
    ActForm("send", "send SUBJECT to PROSPECT [body TEXT] [by USER]", "a mail goes out"),
    ActForm("open", "open SUBJECT [of PROSPECT]", "the last mail of this subject is opened"),
    ActForm("click", "click SUBJECT [of PROSPECT]", "a link in it is clicked"),
    ActForm("reply", "reply SUBJECT with TEXT [of PROSPECT]", "it is answered"),
    ActForm("bounce", "bounce SUBJECT [of PROSPECT]", "it comes back undelivered"),
    ActForm(
        "receive",
        "receive SUBJECT from PROSPECT [body TEXT] [by USER]",
        "a mail comes in that answers none of ours",
    ),
    ActForm(
        "mail",
        "mail SUBJECT to PROSPECT outside [body TEXT] [by USER]",
        "a mail is sent past Outreach, which sees it in the mailbox",
    ),
    ActForm(
        "call",
        "call PROSPECT [for DURATION] [disposition NAME] [purpose NAME] [note TEXT]"
        " [recording URL] [inbound] [by USER]",
        "a call is made, or taken, and logged",
    ),
    ActForm("text from", "text from PROSPECT TEXT [by USER]", "a text message comes in"),
    ActForm("text", "text PROSPECT TEXT [by USER]", "a text message is sent"),
    ActForm(
        "task", "task ACTION for PROSPECT NOTE [due DURATION] [by USER]", "a task is to be done"
    ),
    ActForm(
        "complete for", "complete task for PROSPECT [by USER]", "the task that is due first is done"
    ),
    ActForm("complete", "complete task ID [by USER]", "a task is done"),
    ActForm(
        "book",
        "book SUBJECT with PROSPECT at TIME [for DURATION] [all day] [location TEXT] [by USER]",
        "a meeting is booked, of 30 minutes unless said",
    ),
    ActForm(
        "move", "move meeting SUBJECT to TIME [of PROSPECT]", "it is put off, as long as it was"
    ),
    ActForm("cancel", "cancel meeting SUBJECT [of PROSPECT]", "it is canceled"),
    ActForm(
        "sequence", "make sequence NAME with STEPS [by USER]", "a sequence is made, and turned on"
    ),
    ActForm("add", "add PROSPECT to sequence NAME [by USER]", "a prospect begins a sequence"),
    ActForm(
        "advance", "advance PROSPECT", "it goes on to the next step, and after the last it ends"
    ),
    ActForm("pause", "pause PROSPECT", "its sequence stands still"),
    ActForm("resume", "resume PROSPECT", "its sequence goes on"),
    ActForm("finish", "finish PROSPECT", "its sequence ends"),
    ActForm("opt out", "opt out PROSPECT", "it wants no more mail, and leaves its sequences"),
    ActForm("edit", "edit TYPE RECORD FIELD=VALUE…", "somebody edits a record"),
    ActForm("delete", "delete TYPE RECORD", "somebody deletes it"),
    ActForm("convert", "convert lead RECORD [opportunity NAME]", "a lead is converted"),
    ActForm("merge", "merge TYPE RECORD into MASTER", "a record is merged into another"),
    ActForm("wait", "wait DURATION", "time goes by: the clocks of both orgs go on"),
)

_SLOTS = """\
SUBJECT, NAME, NOTE and TEXT are quoted if they are more than one word. PROSPECT and RECORD are
an e-mail address or an id, USER an e-mail address, a name or an id. DURATION is as `2 hours` or
`30 minutes`, TIME as 2026-12-01T10:00 in UTC, or with a zone. ACTION is one of action_item,
email, call, sms, linkedin_send_connection_request, linkedin_send_message, linkedin_view_profile,
linkedin_interact_with_post, linkedin_other; STEPS are a list such as auto_email,call,task.
"""


def _table() -> str:
    lines = []
    for form in ACTS:
        lines.append(f"  {form.usage}")
        lines.append(f"      {form.does}")
    return "\n".join(lines)


HELP = f"""\
A script has one act a line; `#` begins a comment, and `-` reads standard input. All lines are
checked before anything is done; an act that its org refuses ends the play there. Who acts is who is
named with `by`, else with --as, else the prospect's owner, else the first user.

acts:
{_table()}

{_SLOTS}
examples:
  crosswalk local play monday.play
  crosswalk local play send "Intro" to rose@edge.com --as ann@edge.com
  crosswalk local play call rose@edge.com for 3 minutes disposition Answered
"""
