"""What each word of the language means, for those who meet it in an editor."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FUNCTIONS_IN_WORDS", "MEANINGS"]

_ACTIVITIES = {
    "email sent": "an e-mail that went out",
    "email received": "an e-mail that came in",
    "email opened": "an e-mail was opened; each costs a call and clutters the activity history",
    "email clicked": "a link in an e-mail was clicked; each costs a call and clutters the history",
    "email replied": "an e-mail was answered",
    "email bounced": "an e-mail came back",
    "call logged": "a call was logged",
    "text sent": "a text message went out",
    "text received": "a text message came in",
    "task completed": "a task was completed",
    "task created": "a task was made",
    "meeting booked": "a meeting was booked",
    "meeting rescheduled": "a meeting was moved",
    "meeting canceled": "a meeting was called off",
}

#: Keywords, two where they belong together, and what they mean: Markdown, a sentence or two.
MEANINGS: Mapping[str, str] = {
    "crosswalk": "The version of the language that the file is written in. Optional.",
    "limits": "Call budgets: past them, what would cost a call waits.",
    "guard": "Bounds for what one run may do: past them, it stops and asks.",
    "stages": "A map from Salesforce values on the left to Outreach stages on the right."
    " A stage that is not there is made.",
    "values": "A map between plain values: Salesforce on the left, Outreach on the right.",
    "fields": "Field lines: Salesforce on the left, Outreach on the right, and an arrow the way the"
    " data flows. With a name, a group for `use`.",
    "activities": "What happens in Outreach and is written to Salesforce as a Task or an Event."
    " With a name, a group for `use`.",
    "sync": "How one Salesforce type and one Outreach type go together.",
    "test": "A test of the rules, on empty orgs with a fixed clock: `crosswalk test` runs it.",
    "match": "How unlinked records find each other; several lines are tried in order. Text matches"
    " trimmed and without regard to case, a list by any of its elements, an empty value nothing."
    " Of two candidates none is taken: they are held for review.",
    "polling": "Looks at Salesforce for changes, every 10 minutes unless said. Off unless written.",
    "pushing": "Watches Outreach for changes, every 15 seconds unless said; a webhook brings it"
    " forward. Off unless written.",
    "inbound create": "A record of Salesforce that has no counterpart is made in Outreach."
    " Off unless written.",
    "inbound update": "A change in Salesforce is written to the linked record in Outreach."
    " Off unless written.",
    "inbound delete": "A record deleted in Salesforce is deleted in Outreach too. Off unless"
    " written: it is then only unlinked.",
    "outbound create": "A record of Outreach that has no counterpart is made in Salesforce."
    " Off unless written.",
    "outbound update": "A change in Outreach is written to the linked record in Salesforce."
    " Off unless written.",
    "outbound delete": "A record deleted in Outreach is deleted in Salesforce too. Off unless"
    " written: it is then only unlinked.",
    "sync down": "A record made by hand in Outreach that finds its match in Salesforce takes"
    " over Salesforce's values. Off unless written.",
    "fallback association": "An activity whose prospect has no opportunity is related to the"
    " account's open one. Off unless written.",
    "conflict prefer": "Who wins a field that both sides changed: `salesforce`, `outreach` or"
    " `newest`, which is what goes unless said.",
    "prevent empty": "An empty value does not overwrite one that is there, in both directions"
    " unless `inbound` or `outbound` is said.",
    "via": "Translates through a map of `stages` or `values`.",
    "prefer": "Who wins this field if both sides changed it: `salesforce`, `outreach` or `newest`.",
    "once": "Written only when the record is created.",
    "when": "Only where the condition holds.",
    "use": "Takes in the lines of a named group.",
    "every": "How often, as in `every 10 minutes`.",
    "on": "Switches it on, which writing it already does.",
    "off": "Switches it off, as if it were not written.",
    "otherwise": "What a value without a pair does: `hold` leaves the other side as it is,"
    " `clear` empties it, `same` takes the value as it is, a text stands for them all.",
    "hold": "Leaves the other side as it is.",
    "clear": "Empties the other side.",
    "same": "Takes the value as it is.",
    "color": 'The colour of a stage that is made, as in `color "#3b82f6"`.',
    "from outreach": "Takes only what was sent inside Outreach.",
    "from anywhere": "Takes all mail, also what was sent outside Outreach.",
    "title": "The subject in Salesforce: a Jinja2 template in quotes, or `from` a file of"
    " `templates/activity_titles`. It is cut to 255 characters.",
    "all": "Holds if each of the conditions in the braces does.",
    "any": "Holds if at least one of the conditions in the braces does.",
    "and": "Holds if both conditions do.",
    "or": "Holds if one condition does.",
    "not": "Holds if the condition does not.",
    "in": "Is one of the values. Text compares without regard to case.",
    "contains": "The text has the other in it, without regard to case.",
    "starts with": "The text starts with the other, without regard to case.",
    "ends with": "The text ends with the other, without regard to case.",
    "matches": "A regular expression is found in the text.",
    "is empty": 'Empty is null, `""` or an empty list.',
    "is present": "Is not empty.",
    "is not": "`is not empty` is the same as `is present`.",
    "changed": "Differs from the value last synced, or has none.",
    "now": "This very moment.",
    "today": "The midnight that this day began with, in the project's time zone.",
    "ago": "A moving time, as in `30 days ago`.",
    "creates": "How many records one run may create.",
    "updates": "How many records one run may update.",
    "deletes": "How many records one run may delete.",
    "blanking": "The share of values that are not empty that a run may empty.",
    "total": "The calls that the whole org has used, by whatever program.",
    "own": "The calls that Crosswalk has used.",
    "given": "The records that a test starts with; `linked` joins two that are linked already.",
    "linked": "The record is linked to the one before it.",
    "expect": "What must be so in the end: a record, `no` record of a type, `conflict on` a field,"
    " or `no conflict`.",
    "expect no": "There must be no record of a type; or `no conflict`.",
    "expect conflict": "A conflict on the field must have been settled.",
    **{kind: f"{words[0].upper()}{words[1:]}." for kind, words in _ACTIVITIES.items()},
}

#: The functions: how they are called, and what they give.
FUNCTIONS_IN_WORDS: Mapping[str, tuple[str, str]] = {
    "lower": ("lower(text)", "The text in small letters."),
    "upper": ("upper(text)", "The text in capital letters."),
    "trim": ("trim(text)", "The text without white space at either end."),
    "concat": ("concat(text, …)", "The texts joined; an empty one adds nothing."),
    "coalesce": ("coalesce(value, …)", "The first value that is not empty."),
    "replace": ("replace(text, old, new)", "The text with each `old` as `new`."),
    "left": ("left(text, count)", "The first characters of the text."),
    "right": ("right(text, count)", "The last characters of the text."),
    "length": ("length(text)", "How many characters the text has."),
    "number": ("number(text)", "The number that the text spells; empty if it spells none."),
    "text": ("text(value)", "The value as text."),
    "date": ("date(value)", "The day of a date-time, or of a text that spells one."),
    "datetime": ("datetime(value)", "The instant that a date or a text spells."),
}
