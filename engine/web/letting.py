"""Which records a form or a request names, to be run over or let go."""

from __future__ import annotations

from engine.service import Letting
from engine.web.routes import Ask, Wrong

__all__ = ["letting_of", "types_of"]


def letting_of(ask: Ask) -> Letting:
    """The held records that a form names. Raises `Wrong`."""
    type_name, record, link = (ask.text(name, form=True) for name in ("type", "id", "link"))
    relink = ask.form.get("relink") in (True, "on", "true", "1")
    types_of(ask)
    if record is not None and type_name is None:
        raise Wrong("`id` needs the record's `type`")
    if link is not None and record is None:
        raise Wrong("`link` needs the record that it is for: `type` and `id`")
    if relink and link is None:
        raise Wrong("`relink` says that `link` may name a record that is linked: add `link`")
    return Letting(type_name, record, link, relink)


def types_of(ask: Ask) -> list[str] | None:
    """The one type, or pair of types, that a form names, None for all.

    Raises `Wrong` if the rules sync none such.
    """
    name = ask.text("type", form=True)
    if name is None:
        return None
    pairs = ask.service.program().pairs
    known = sorted({each.name for pair in pairs for each in (pair.salesforce, pair.outreach)})
    if name not in known and all(name != pair.name for pair in pairs):
        raise Wrong(f"no sync of a type `{name}`: the rules sync {', '.join(known)}")
    return [name]
