"""Resources that Outreach has, and that an org in the sandbox has no records of: empty lists."""

from __future__ import annotations

from typing import Any

from engine.sandbox.outreach.errors import unsuitable
from engine.sandbox.outreach.parameters import Parameters, shown
from engine.sandbox.outreach.resources import MOST, PAGE

__all__ = ["BARE", "empty_page"]

#: Types by what they are called in a path.
BARE = {
    "contentCategories": "contentCategory",
    "contentCategoryMemberships": "contentCategoryMembership",
    "contentCategoryOwnerships": "contentCategoryOwnership",
    "duties": "duty",
    "personas": "persona",
    "profiles": "profile",
    "recipients": "recipient",
    "rulesets": "ruleset",
    "sequenceTemplates": "sequenceTemplate",
    "snippets": "snippet",
    "taskPriorities": "taskPriority",
    "teams": "team",
    "templates": "template",
}
#: What every such type can be filtered and sorted by.
_COMMON = ("createdAt", "id", "name", "updatedAt")


def empty_page(plural: str, given: Parameters, base: str) -> dict[str, Any]:
    """A document of none. Raises `ApiError` for what such a list does not take."""
    type_name = BARE[plural]
    for key, _ in given.of("filter"):
        if key[0] not in _COMMON:
            name = shown(("filter", *key))
            raise unsuitable(f"'{key[0][:80]}' is not a filter of {type_name}.", name)
    for word in filter(None, (given.one("sort") or "").split(",")):
        if word.removeprefix("-") not in _COMMON:
            raise unsuitable(f"'{word[:80]}' is not a sort of {type_name}.", "sort")
    size = given.number(1, MOST, "page", "size") or PAGE
    links = {"first": given.link(f"{base}/{plural}", {"page[size]": str(size)})}
    counted = given.flag("count", default=True)
    meta = {"count": 0, "count_truncated": False} if counted else {}
    return {"data": [], "links": links, "meta": meta}
