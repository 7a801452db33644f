"""What the fragments of the guide stand in: rules that are whole once a fragment is in place."""

from __future__ import annotations

__all__ = ["CONTEXTS", "in_context"]

_USERS = """
sync User <-> user {
    match Email = email
    polling
    inbound create when all { Email is present  FirstName is present  LastName is present }
    fields {
        Email      -> email      prevent empty
        FirstName  -> firstName  prevent empty
        LastName   -> lastName   prevent empty
    }
}
"""
_STATUSES = """
stages lead_status {
    "Open - Not Contacted"    <-> "Open"
    "Working - Contacted"     <-> "Working"
    "Closed - Converted"       -> "Converted"
    "Closed - Not Converted"  <-> "Closed"
}
"""
_TOGGLES = "polling  inbound create  inbound update  pushing  outbound update"
_FIELDS = """
    fields {
        FirstName <-> firstName  prevent empty
        LastName  <-> lastName   prevent empty
        Company    -> company
        Email     <-> emails     prevent empty
    }
"""

#: By name; the fragment takes the place of `@`.
CONTEXTS = {
    "top": f"@ sync Lead <-> prospect {{ match Email = emails {_TOGGLES} {_FIELDS} }}",
    "match": f"sync Lead <-> prospect {{ @ {_TOGGLES} {_FIELDS} }}",
    "toggles": f"sync Lead <-> prospect {{ match Email = emails @ {_FIELDS} }}",
    "clause": f"sync Lead <-> prospect {{ match Email = emails {_TOGGLES} @ {_FIELDS} }}",
    "condition": f"""
        sync Lead <-> prospect {{
            match Email = emails
            polling
            inbound create when @
            {_FIELDS}
        }}""",
    "fields": f"""
        {_USERS} {_STATUSES}
        fields engagement {{ Current_Sequence_Name__c <- sequence.name }}
        sync Lead <-> prospect {{ match Email = emails {_TOGGLES} fields {{ @ }} }}""",
    "activities": f"""
        sync Lead <-> prospect {{
            match Email = emails {_TOGGLES} {_FIELDS} activities {{ @ }}
        }}""",
    "test": f"""
        {_STATUSES}
        sync Lead <-> prospect {{
            match Email = emails
            polling
            inbound create when Email is present
            inbound update
            pushing
            outbound update
            fields {{
                FirstName <-> firstName  prevent empty
                LastName  <-> lastName   prevent empty
                Company    -> company
                Title     <-> title
                Email     <-> emails     prevent empty
                Status    <-> stage      via lead_status
            }}
        }}
        @""",
}


def in_context(name: str, fragment: str) -> str:
    """The rules that a fragment makes in its context."""
    return CONTEXTS[name].replace("@", fragment, 1)
