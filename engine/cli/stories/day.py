"""The second story: a day of a sales team, and what of it stands in Salesforce by the evening."""

from __future__ import annotations

import json

from dsl.schema import Side
from engine.cli.init import make_project
from engine.cli.stories.teller import Step, Story, Teller

__all__ = ["DAY"]

_ANN = "0055i000007S72zAAC"
_BERTHA = "00Q3z00001AmqLYEAZ"
_SEAN = "0033z00002fsAuqAAE"
_SIDDARTHA = "0033z00002fsAv7AAE"
_EDGE_SLA = "0063z000014qkNuAAI"

_PANEL = (
    "Name",
    "Current_Sequence_ID__c",
    "Current_Sequence_Name__c",
    "Current_Sequence_Status__c",
    "Current_Sequence_Step_Number__c",
    "Current_Sequence_Step_Type__c",
    "Current_Sequence_Task_Due_Date__c",
    "Actively_Being_Sequenced__c",
    "Current_Sequence_User_SFDC_ID__c",
)
_MAILS = """\
send "Generators for Edge" to rose@edge.com body "Hello Rose"
open "Generators for Edge"
reply "Generators for Edge" with "Call me at ten"
send "Our price list" to tripley@uog.com
bounce "Our price list"
mail "Lunch?" to sean@edge.com outside
"""
_CALLS = """\
call rose@edge.com for 4 minutes disposition "Connected" purpose "Demo" note "Wants a demo" \
  recording https://calls.example.com/17
call bond_john@grandhotels.com disposition "No answer"
text bond_john@grandhotels.com "Tried to reach you"
text from bond_john@grandhotels.com "Back at two"
task linkedin_view_profile for barr_tim@grandhotels.com "Look at his profile"
complete task for barr_tim@grandhotels.com
task action_item for efrank@genepoint.com "Send the deck"
"""
_TITLE = """\
[Call] {% if purpose %}{{ purpose }}, {% endif %}{{ disposition }} ({{ prospect.company }})
"""
_SEQUENCE = """\
make sequence "Warm up" with auto_email,call,task
add bertha@fcof.net to sequence "Warm up"
add norm_may@greenwich.net to sequence "Warm up"
advance bertha@fcof.net
complete task for bertha@fcof.net
"""
_LEFT = """\
reply "Warm up: step 1" with "Tell me more" of bertha@fcof.net
opt out norm_may@greenwich.net
"""
_BOOKED = """\
book "Demo" with rose@edge.com at 2030-05-02T10:00 for 45 minutes location "Austin"
book "Review" with jane_gray@uoa.edu at 2030-05-03T09:00
book "Trade fair" with barr_tim@grandhotels.com at 2030-05-06T00:00 all day
"""
_MOVED = """\
move meeting "Demo" to 2030-05-04T15:00
cancel meeting "Review"
"""
_FAIR = """\
Lead ID;First Name;Last Name;Email;Company / Account;Annual Revenue
00Q3z00001AmqLZ;;;;;
;Ada;Byron;ada@edge.com;Edge Communications;1.250.000,00
;Joe;;;Nobody Inc.;
"""
_LIMITS = """\
limits {{
    salesforce own {calls} per day
}}
"""


def _before_work(teller: Teller) -> None:
    make_project(teller.folder, sample=True)
    teller.serve()
    named = ("FirstName=Ann", "LastName=Lee", "Email=ann@example.com")
    teller.local("edit", "salesforce", "User", _ANN, *named, "IsActive=true")
    teller.command("run", head=0)
    teller.show_records("user", "name", "email", "locked", side=Side.OUTREACH)
    teller.show_records("role", "name", "parentRole.name", side=Side.OUTREACH, head=5)
    teller.show_records("stage", "name", "color", side=Side.OUTREACH)
    print()
    teller.show("rules/activities.sync", 5, 22)


def _mails(teller: Teller) -> None:
    teller.play("mails.play", _MAILS)
    teller.brief("plan", head=9)
    teller.expect(teller.command("run", head=0), created=4)
    teller.show_records("Task", "Subject", "Who.Name", "Status", "Description")


def _calls(teller: Teller) -> None:
    teller.play("calls.play", _CALLS)
    teller.command("title", "call logged")
    teller.write("templates/activity_titles/call_logged.j2", _TITLE)
    teller.command("title", "call logged")
    teller.expect(teller.command("run", head=0), created=5)
    columns = ("Subject", "Who.Name", "CallType", "CallDurationInSeconds", "CallObject")
    teller.show_records("Task", *columns)


def _sequence(teller: Teller) -> None:
    teller.play("sequence.play", _SEQUENCE)
    teller.expect(teller.command("run", head=0), created=3, updated=2)
    teller.show_records("Lead", *_PANEL, having="Current_Sequence_Name__c")
    teller.play("left.play", _LEFT)
    teller.expect(teller.command("run", "--type", "Lead"), updated=2)


def _meetings(teller: Teller) -> None:
    teller.play("booked.play", _BOOKED)
    teller.command("run", head=0)
    teller.play("moved.play", _MOVED)
    teller.expect(teller.command("run"), updated=2)
    columns = ("Subject", "Who.Name", "StartDateTime", "DurationInMinutes", "ActivityDate")
    teller.show_records("Event", *columns)


def _lists(teller: Teller) -> None:
    teller.write("fair.csv", _FAIR)
    teller.command("import", "csv", "fair.csv", "--type", "Lead", code=1)
    siddartha = ("firstName=Sid", "lastName=Nedaerk", "emails=sid@sforce.com")
    teller.local("create", "outreach", "prospect", *siddartha)
    teller.local("edit", "salesforce", "Contact", _SIDDARTHA, "Email=sid@sforce.com")
    teller.expect(teller.command("run"), linked=1)


def _twice(teller: Teller) -> None:
    rose = ("LastName=Gonzales", "Company=Edge", "Email=ROSE@edge.com", "IsConverted=false")
    leads = [teller.local("create", "salesforce", "Lead", *rose) for _ in range(2)]
    teller.command("run", head=0, code=1)
    teller.command("review")
    for lead in leads:
        teller.local("delete", "salesforce", "Lead", lead)


def _deal(teller: Teller) -> None:
    prospect = teller.linked("Contact", _SEAN)
    opportunity = teller.linked("Opportunity", _EDGE_SLA)
    role = (f"prospect={prospect}", f"opportunity={opportunity}", "role=Decision Maker")
    teller.local("create", "outreach", "opportunityProspectRole", *role, "primary=true")
    teller.play("deal.play", "call sean@edge.com for 9 minutes disposition Connected\n")
    teller.expect(teller.command("run"), created=2)


def _converted(teller: Teller) -> None:
    prospect = teller.linked("Lead", _BERTHA)
    teller.play("won.play", 'convert lead bertha@fcof.net opportunity "Farmers generators"\n')
    teller.expect(teller.command("run", head=0), unlinked=1, linked=1)
    teller.command("links", "--type", "prospect", "--id", prospect)
    teller.play("after.play", 'call bertha@fcof.net for 2 minutes disposition "Connected"\n')
    teller.expect(teller.command("run", head=0), created=1)


def _status(teller: Teller) -> None:
    teller.local("picklist", "salesforce", "Lead", "Status", "add", "Nurturing")
    teller.command("maps", code=1)
    teller.expect(teller.command("run"), created=0, updated=0)


def _budget(teller: Teller) -> None:
    teller.play("late.play", 'send "Good night" to rose@edge.com\n')
    budgets = json.loads(teller.output("limits", "--format", "json"))["budgets"]
    used = next(b["used"] for b in budgets if (b["side"], b["scope"]) == ("salesforce", "own"))
    teller.write("rules/limits.sync", _LIMITS.format(calls=used + 9))
    teller.expect(teller.command("run", code=1), created=0)
    teller.command("limits")
    teller.write("rules/limits.sync", _LIMITS.format(calls=8000))
    teller.expect(teller.command("run", head=0), created=1)


def _evening(teller: Teller) -> None:
    teller.show_records("Task", "Subject", "Who.Name", "What.Name", "Owner.Name", "ActivityDate")
    teller.command("activity", "--synced", "--limit", "8")
    teller.command("activity", "--rules", "--limit", "3")
    teller.command("log", "--status", "created", "--limit", "5")


DAY = Story(
    "day",
    "a day of a sales team, and what of it stands in Salesforce by the evening",
    (
        Step(
            "Before work",
            "The sample org again. Ann Lee sells; she has a licence in Salesforce and no seat in"
            " Outreach, so she gets a locked one. Roles come with their hierarchy, statuses as"
            " stages with colours. What people do in Outreach becomes tasks and events, by these"
            " rules:",
            _before_work,
        ),
        Step(
            "Mails",
            "A mail is sent, opened and answered, another one comes back, a third is sent past"
            " Outreach. Opens stay in Outreach: each would cost a call and bury what matters.",
            _mails,
        ),
        Step(
            "Calls, texts and tasks",
            "The title of a task is a template, which a project can replace; `title` shows it for"
            " a real call before anything is written. Of two tasks one is completed: only that one"
            " is written.",
            _calls,
        ),
        Step(
            "A sequence",
            "Two leads begin a sequence, and one of them is led to its third step. Each lead shows"
            " where it is, in the eight fields of the engagement panel. Then one answers and"
            " leaves the sequence, and the other opts out of mail.",
            _sequence,
        ),
        Step(
            "Meetings",
            "Meetings are events. One is moved and takes its event along, one is called off and"
            " keeps its event under another title, one lasts all day.",
            _meetings,
        ),
        Step(
            "A list, and a prospect made by hand",
            "A list from a trade fair has somebody whom Salesforce knows, somebody new, and a row"
            " that nobody could tell apart from others. Then Ann makes a prospect by hand; once"
            " its contact has the same address they are linked, and Salesforce's values come down.",
            _lists,
        ),
        Step(
            "Twice the same",
            "Somebody enters a lead twice that has the address of a contact. One address is one"
            " prospect: which lead it belongs to is not guessed, until somebody has looked.",
            _twice,
        ),
        Step(
            "A deal",
            "Ann notes in Outreach who decides, and the contact role stands in Salesforce. From"
            " now on what she does with that contact belongs to the opportunity.",
            _deal,
        ),
        Step(
            "A lead becomes a customer",
            "Bertha Boxer is converted in Salesforce. Her prospect goes on with the contact, and"
            " so does what is done with her.",
            _converted,
        ),
        Step(
            "A new status",
            "An administrator gives leads a new status, which the map of stages does not have."
            " Nothing fails: leads with it keep the stage that they have, and `maps` says so.",
            _status,
        ),
        Step(
            "A budget that is spent",
            "The calls to Salesforce are limited, and spent. Nothing is dropped: what is left"
            " waits, and goes on by itself once there are calls again.",
            _budget,
        ),
        Step(
            "The evening",
            "What the day has left in Salesforce, and what Crosswalk says of it: what was synced,"
            " how the rules changed, and each write.",
            _evening,
        ),
    ),
)
