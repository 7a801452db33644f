"""SOSL, Salesforce's search language: what is looked for, where, and what is told of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dsl.schema import Field, Kind, ObjectType
from engine.sandbox.salesforce.errors import ApiError
from engine.stores.local.org import OrgFile
from engine.stores.local.tables import quoted

__all__ = ["Returning", "Search", "malformed", "matching_ids", "parse_sosl", "see_term"]

_MOST = 2_000  # records that a search gives, by the SOSL reference
_FIND = re.compile(r"\s*FIND\s*\{((?:\\.|[^\\}])*)\}", re.IGNORECASE)
_IN = re.compile(r"\s+IN\s+(ALL|NAME|EMAIL|PHONE|SIDEBAR)\s+FIELDS\b", re.IGNORECASE)
_RETURNING = re.compile(r"\s+RETURNING\s+", re.IGNORECASE)
_TYPE = re.compile(r"\s*([A-Za-z]\w*)\s*")
_LIMIT = re.compile(r"\s+LIMIT\s+(\d+)\s*", re.IGNORECASE)
_WITH = re.compile(r"\s+WITH\s+\w+(?:\s*=\s*(?:'[^']*'|\w+))?", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_INNER = re.compile(r"(.*?)(\s+(?:WHERE|ORDER\s+BY|LIMIT|OFFSET)\s.*)?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Returning:
    """Of one type: which fields (`Id` alone if none), and the rest of a SOQL query for them."""

    type: str
    fields: tuple[str, ...] = ("Id",)
    where: str = ""
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """A search; without `returning` it is in all types."""

    term: str
    where: str = "ALL"
    returning: tuple[Returning, ...] = ()
    limit: int = _MOST


def malformed(message: str) -> ApiError:
    """The refusal of a search that cannot be read."""
    return ApiError(400, "MALFORMED_SEARCH", message)


def see_term(term: str) -> str:
    """A term that is long enough to be looked for. Raises `ApiError`."""
    if len(re.sub(r"[^\w]", "", term)) < 2:
        raise malformed(f"search term must be longer than one character: {term}")
    return term


def parse_sosl(text: str) -> Search:
    """A search in SOSL. Raises `ApiError`."""
    found = _FIND.match(text)
    if found is None:
        raise malformed("No search term found. The search term must be enclosed in braces.")
    term, at = see_term(found[1]), found.end()
    where = "ALL"
    if fields := _IN.match(text, at):
        where, at = fields[1].upper(), fields.end()
    returning: list[Returning] = []
    if start := _RETURNING.match(text, at):
        at = start.end()
        while True:
            each, at = _returning(text, at)
            returning.append(each)
            if text[at : at + 1] != ",":
                break
            at += 1
    while option := _WITH.match(text, at):
        at = option.end()
    limit = _MOST
    if bound := _LIMIT.match(text, at):
        limit, at = min(int(bound[1]), _MOST), bound.end()
    if text[at:].strip():
        raise malformed(f"unexpected token: {text[at:].split(maxsplit=1)[0]}")
    return Search(term, where, tuple(returning), limit)


def _returning(text: str, at: int) -> tuple[Returning, int]:
    found = _TYPE.match(text, at)
    if found is None:
        raise malformed(f"unexpected token: {text[at : at + 1] or '<EOF>'}")
    name, end = found[1], found.end()
    if text[end : end + 1] != "(":
        return Returning(name), end - (len(found[0]) - len(found[0].rstrip()))
    close = _closing(text, end)
    inner = _INNER.fullmatch(text[end + 1 : close].strip())
    fields = tuple(part.strip() for part in inner[1].split(",")) if inner else ()
    if inner is None or not all(fields):
        raise malformed(f"unexpected token: {text[end : close + 1]}")
    where, tail = _split((inner[2] or "").strip())
    after = close + 1
    if text[after:].lstrip()[:1] == ",":
        after = text.index(",", after)
    return Returning(name, fields, where, tail), after


def _split(rest: str) -> tuple[str, str]:
    """The condition, and what follows it."""
    if not rest.upper().startswith("WHERE"):
        return "", rest
    tail = re.search(r"\s+(?:ORDER\s+BY|LIMIT|OFFSET)\s", rest, re.IGNORECASE)
    end = tail.start() if tail else len(rest)
    return rest[len("WHERE") : end].strip(), rest[end:].strip()


def _closing(text: str, start: int) -> int:
    depth, in_quotes = 0, False
    for at in range(start, len(text)):
        character = text[at]
        if character == "'" and text[at - 1] != "\\":
            in_quotes = not in_quotes
        elif not in_quotes and character in "()":
            depth += 1 if character == "(" else -1
            if depth == 0:
                return at
    raise malformed("unexpected token: <EOF>")


# -- matching -----------------------------------------------------------------------------------


def matching_ids(org: OrgFile, type_: ObjectType, term: str, where: str) -> Iterator[str]:
    """The ids of the records with a term in their fields, in the order in which they came.

    Words match whole, unless `*` or `?` stand for some letters; all have to be there, or those on
    one side of an OR.
    """
    fields = [field.name for field in type_.fields.values() if _searched(field, where)]
    if not fields or not org.made(type_.name):
        return
    ways = [_patterns(way) for way in re.split(r"\s+OR\s+", term)]
    texts = " || char(10) || ".join(f"coalesce({quoted(name)}, '')" for name in fields)
    sql = f'SELECT "Id", {texts} FROM {quoted(type_.name)} ORDER BY rowid'
    count = 0
    for record, text in org.rows(sql):
        words = f" {' '.join(_WORD.findall(text.casefold()))} "
        if any(all(bool(p.search(words)) == wanted for p, wanted in way) for way in ways):
            yield record
            count += 1
            if count == _MOST:
                return


def _searched(field: Field, where: str) -> bool:
    if field.kind is not Kind.TEXT:
        return False
    match where:
        case "NAME":
            return field.name in ("Name", "FirstName", "LastName", "Company", "Subject")
        case "EMAIL":
            return field.is_email
        case "PHONE":
            return field.vendor_type == "phone"
    return True


def _patterns(way: str) -> list[tuple[re.Pattern[str], bool]]:
    """What all has to be there (True), or must not be (False)."""
    found = []
    for negated, phrase in re.findall(r'(AND NOT\s+)?("[^"]*"|(?:\\.|[^\s"])+)', way):
        if phrase.upper() == "AND":
            continue
        plain = re.sub(r"\\(.)", lambda m: " " if m[1] in "*?" else m[1], phrase).casefold()
        words = re.findall(r"[\w*?]+", plain)
        if words:
            wild = (re.escape(w).replace(r"\*", r"\w*").replace(r"\?", r"\w") for w in words)
            found.append((re.compile(f" {' '.join(wild)} "), not negated))
    return found
