"""What we wrote to a record, told from what others have made of it, where no answer tells."""

from __future__ import annotations

from typing import Any

import msgspec

from dsl.schema import Side
from engine.compile import is_unset, unheard
from engine.ledger import Link
from engine.mapping import Mapping
from engine.model import SIDES, Row

__all__ = ["held", "with_bases"]

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(list[Any]).decode


def with_bases(
    link: Link,
    mapping: Mapping,
    side: Side,
    row: Row,
    by_line: dict[int, Any],
    *,
    edited: bool = False,
) -> Link:
    """A link as what we wrote to `side`, and is still there, leaves it: no edit of anybody's.

    In a record that was `edited` after that, what is there no more was changed by somebody.
    """
    bases = {at: _decode(link.base(at)) for at in SIDES}
    seen = mapping.view[side](row)
    for line, value in by_line.items():
        if held(mapping, side, line, row) == value:
            bases[side][line], bases[side.other][line] = seen[line], unheard(value)
        elif edited and not is_unset(seen[line]):
            bases[side][line], bases[side.other][line] = value, unheard(value)
    return link._replace(
        salesforce_base=_encode(bases[Side.SALESFORCE]),
        outreach_base=_encode(bases[Side.OUTREACH]),
    )


def held(mapping: Mapping, side: Side, line: int, row: Row) -> Any:
    """What a record holds at a line, in the form in which it is compared."""
    code = mapping.lines[line]
    return code.forms[side](row[code.slots[side]])
