"""What an editor shows of a field, a type, a map, a group, a title or a function: in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from dsl import syntax as s
from dsl.meanings import FUNCTIONS_IN_WORDS
from dsl.paths import title_of
from dsl.program import Translation
from dsl.schema import Field, Kind, ObjectType

__all__ = ["brief", "field_card", "function_card", "map_card", "source_card", "title_card"]
__all__ += ["type_card"]

_MOST = 12


def brief(field: Field) -> str:
    """A field's type and label, as they stand beside its name in a list."""
    return f"{_type(field)} · {field.label}"


def field_card(owner: ObjectType, field: Field) -> str:
    """All that a rule's author asks of a field."""
    facts = [_type(field)]
    if field.length:
        facts.append(f"up to {field.length} characters")
    facts += [word for word, so in _marks(field) if so]
    rows = [f"**{field.name}** · {field.label}", f"{title_of(owner.side)} `{owner.name}`"]
    rows.append(", ".join(facts))
    if field.references:
        rows.append(f"refers to {_few(field.references, 'or')}")
    if field.relationship and field.relationship != field.name:
        rows.append(f"a path reads through it as `{field.relationship}.…`")
    if field.picklist:
        rows.append(f"values: {_few(field.picklist, 'and')}")
    return "\n\n".join(rows)


def _type(field: Field) -> str:
    vague = field.vendor_type in ("string", "unknown", "relationship", "array")
    if field.kind is Kind.LIST and not vague:
        return f"list of {field.vendor_type}"
    return str(field.kind) if vague else field.vendor_type


def _marks(field: Field) -> Iterable[tuple[str, bool]]:
    writable = field.createable or field.updateable
    yield "required", field.required
    yield "unique", field.unique
    yield "external id", field.external_id
    yield "read-only", not writable
    yield "written only when the record is created", field.createable and not field.updateable
    yield "restricted to its values", field.restricted and bool(field.picklist)
    yield "many records", field.many and field.kind is Kind.LIST


def _few(words: Sequence[str], last: str) -> str:
    shown = [f"`{word}`" for word in words[:_MOST]]
    if len(words) > _MOST:
        return f"{', '.join(shown)} {last} {len(words) - _MOST} more"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def type_card(known: ObjectType) -> str:
    """A type, and what a create of it cannot do without."""
    rows = [f"**{known.name}** · {known.label}"]
    rows.append(f"{title_of(known.side)} type with {len(known.fields)} fields")
    required = [name for name, field in known.fields.items() if field.required]
    if required:
        rows.append(f"required: {_few(required, 'and')}")
    return "\n\n".join(rows)


def map_card(known: Translation) -> str:
    """A map's pairs."""
    what = "stages" if known.is_stages else "values"
    pairs = [f"{_literal(e.left)} {e.arrow} {_literal(e.right)}" for e in known.entries]
    more = [f"# and {len(pairs) - _MOST} more"] if len(pairs) > _MOST else []
    otherwise = known.otherwise
    end = f'"{known.otherwise_text}"' if otherwise == "text" else otherwise
    return _code(f"{what} {known.name}", [*pairs[:_MOST], *more, f"otherwise {end}"])


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def source_card(group: s.Fields | s.Activities) -> str:
    """A group's lines as they are written."""
    what = "fields" if isinstance(group, s.Fields) else "activities"
    lines = [" ".join(line.span.text.split()) for line in group.lines]
    more = [f"# and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return _code(f"{what} {group.name.text}", [*lines[:_MOST], *more])


def _code(head: str, rows: Iterable[str]) -> str:
    return "\n".join(["```sync", f"{head} {{", *(f"    {row}" for row in rows), "}", "```"])


def title_card(name: str, file: Path | None) -> str:
    """A title template's text."""
    if file is None:
        return f"**{name}**"
    try:
        text = file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return f"**{name}**"
    return f"**{name}** · title template\n\n```jinja\n{text[:500]}\n```"


def function_card(name: str) -> str:
    called, gives = FUNCTIONS_IN_WORDS[name]
    return f"```sync\n{called}\n```\n\n{gives}"
