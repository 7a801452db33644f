"""What the requests of one sandbox share: the org, its settings, sessions and faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.requests import Request

from engine.ports import Clock
from engine.sandbox.faults import Faults
from engine.sandbox.identity import SalesforceIdentity
from engine.sandbox.salesforce.late import Late
from engine.sandbox.salesforce.sessions import Sessions
from engine.sandbox.salesforce.setup import Setup
from engine.sandbox.salesforce.visible import Visible
from engine.sandbox.soql.locators import Locators
from engine.sandbox.soql.virtual import ORG_ID
from engine.stores.local import LocalOrg
from engine.stores.local.ids import INSTANCE, full_id
from engine.stores.local.lookups import FIRST_USER
from engine.stores.local.org import OrgFile

__all__ = ["ORG_ID", "Ahead", "Box", "box_of", "version_of"]

_NOBODY = full_id(f"005{INSTANCE}000000000")  # who acts in an org without users


@dataclass(frozen=True)
class Ahead:
    """A clock that is wrong by so much."""

    clock: Clock
    skew: timedelta

    def now(self) -> datetime:
        return self.clock.now() + self.skew


@dataclass(frozen=True)
class Box:
    """One sandbox at work."""

    org: LocalOrg
    identity: SalesforceIdentity
    faults: Faults
    setup: Setup
    sessions: Sessions
    visible: Visible
    late: Late
    locators: Locators
    daily_limit: int
    #: When users looked at records, by id: as a stamp.
    viewed: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> OrgFile:
        """The org's file, for those who read and write by their own statements."""
        return self.org.file

    def user_id(self) -> str:
        """The id of the user who acts."""
        found = self.file.rows(FIRST_USER) if self.file.made("User") else []
        return str(found[0][0]) if found else _NOBODY

    def name_user(self) -> None:
        """See that the user who acts has a user name, as everybody has who logs in."""
        if self.file.made("User"):
            sql = 'UPDATE "User" SET "Username" = ? WHERE "Id" = ? AND "Username" IS NULL'
            self.file.rows(sql, (self.identity.username, self.user_id()))


def box_of(request: Request) -> Box:
    """The sandbox that a request came to."""
    box: Box = request.app.state.box
    return box


def version_of(request: Request) -> str:
    """The API version that a request asks for, as `60.0`."""
    return str(request.path_params["version"])
