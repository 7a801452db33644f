"""Names of pairs: as the ledger keeps them, as people read them, and the types in them."""

from __future__ import annotations

from dsl.schema import Side

__all__ = ["pair_name", "spoken_pair", "types_of_pair"]


def pair_name(salesforce: str, outreach: str, label: str = "") -> str:
    """What a pair is called in the ledger; `types_of_pair` takes it apart."""
    return f"{salesforce}<->{outreach} {label}".rstrip()


def types_of_pair(name: str) -> dict[Side, str]:
    """The types by side of a pair, by its name; only Outreach has one for `stage`."""
    left, arrow, right = name.partition(" ")[0].partition("<->")
    return {Side.SALESFORCE: left, Side.OUTREACH: right} if arrow else {Side.OUTREACH: left}


def spoken_pair(name: str) -> str:
    """A pair's name as people read it: `Lead <-> prospect`, `Task <-> mailing (email sent)`."""
    types, _, label = name.partition(" ")
    spoken = " <-> ".join(types.split("<->"))
    return f"{spoken} ({label})" if label else spoken
