"""Conditions and records by chance: every operator on every kind of field, of both sides."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from dsl.codes import CODES
from dsl.program import Condition, FieldRef
from tests.dsl.support import checked

__all__ = ["CHANGES", "SALESFORCE", "ZONES", "conditions", "key", "moments", "records", "resolved"]

Text = st.SearchStrategy[str]
ZONES = st.sampled_from([ZoneInfo(n) for n in ("UTC", "Europe/Berlin", "America/Havana")])
#: Havana's midnight of 2026-11-01 comes twice, Berlin is an hour or two ahead.
moments = st.sampled_from(
    [
        datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 5, 0, 0, 250_000, tzinfo=UTC),
        datetime(2026, 11, 22, 23, 0, tzinfo=UTC),
    ]
)

_OWNER = "0055i000007S72zAAC"
_IDS = ["001gK000013kMcIQAU", _OWNER, _OWNER.lower()]
_TEXTS = [
    "hot",
    "HOT",
    "Straße",
    "STRASSE",
    "warm ",
    "a\\b",
    "x",
    "50%",
    "5_0",
    "it's",
    'a"b\n',
    "ü",
]
_TIMES = ["2026-11-23T09:30:00Z", "2026-11-01T04:00:00Z", "2026-11-01T05:00:00.250Z"]
_TIMES += ["2026-11-23T09:30:00+02:00", "2026-10-24T09:30:00Z", "0001-01-01T00:00:00Z"]
_DAYS = ["2026-11-23", "2026-11-01", "2026-10-24", "0001-01-01"]
_MOVING = ["now", "today", "30 days ago", "1 day ago", "0 days ago"]

#: Each readable field, with the values that a record may have there.
_TEXT: list[Any] = [None, "", *_TEXTS]
_NUMBER: list[Any] = [None, 0, 1, -3, 1.5, 100, 2.0, 5_000_000_000]
_FLAG: list[Any] = [None, True, False]
_STAMP: list[Any] = [None, "", "2026-11-23T09:30:00.000+0000", "2026-11-01T04:00:00.000Z"]
_STAMP += ["2026-11-01T05:00:00.250Z", "2026-11-01T05:00:00Z", "2026-11-01T05:00:01Z"]
_STAMP += ["2026-10-24T09:30:00Z", "2026-11-22T23:00:00Z"]
_DAY: list[Any] = [None, *_DAYS]
_ODD: list[Any] = [None, "", "hot", 1, 1.5, True, [], ["hot", "x"], "2026-11-23"]
_LIST: list[Any] = [None, [], ["hot"], ["x", "HOT"], [""]]

SALESFORCE: dict[str, list[Any]] = {
    **dict.fromkeys(("Rating", "LastName", "Owner.Name", "Description"), _TEXT),
    **dict.fromkeys(("AnnualRevenue", "NumberOfEmployees"), _NUMBER),
    "DoNotCall": _FLAG,
    "CreatedDate": _STAMP,
    "ConvertedDate": _DAY,
    "OwnerId": [None, *_IDS[:2]],
    "Odd__c": _ODD,
}
_OUTREACH: dict[str, list[Any]] = {
    **dict.fromkeys(("outreach.firstName", "outreach.title"), _TEXT),
    "outreach.engagedScore": _NUMBER,
    "outreach.optedOut": _FLAG,
    "outreach.updatedAt": _STAMP,
    "outreach.emails": _LIST,
    "outreach.custom999": _ODD,
}


def _of(values: list[Any]) -> list[str]:
    return [name for name, its in {**SALESFORCE, **_OUTREACH}.items() if its is values]


def quoted(text: str) -> str:
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
        text = text.replace(plain, escaped)
    return f'"{text}"'


def _one(*words: str) -> Text:
    return st.sampled_from(words)


def _all(*parts: Text | str) -> Text:
    each = [st.just(part) if isinstance(part, str) else part for part in parts]
    return st.tuples(*each).map(" ".join)


def _items(item: Text) -> Text:
    return st.lists(item, min_size=1, max_size=3).map(lambda each: "(" + ", ".join(each) + ")")


_order = _one("=", "!=", "<", "<=", ">", ">=")
_equal = _one("=", "!=")
_in = _one("in", "not in")
_looks = _all(_one("", "not"), _one("contains", "starts with", "ends with", "matches"))
_text = _one(*map(quoted, ["", *_TEXTS]))
_part = _one(*map(quoted, ["", "h", "T", "s", "0%", "_", "\\", "^ho.", "T$", "("]))
_number = _one("0", "1", "-3", "1.5", "100", "5000000000", "9" * 40)
_time = _one(*_DAYS, *_TIMES, *_MOVING, *map(quoted, _DAYS))
_texts = _one(*_of(_TEXT), "lower(Rating)", "coalesce(Rating, LastName)")
_numbers = _one(*_of(_NUMBER), "length(Rating)")
_times = _one(*_of(_STAMP), *_of(_DAY), "date(CreatedDate)")
_odds = _one(*_of(_ODD))
_any = _one(*SALESFORCE, *_OUTREACH)

comparisons = st.one_of(
    _all(_texts, _order, _text | _texts),
    _all(_texts, _in, _items(_text | _texts)),
    _all(_texts, _looks, _part | _texts),
    _all(_text, _order, _texts),
    _all(_one(*_of(_LIST)), _equal, _text),
    _all(_one(*_of(_LIST)), _looks, _part),
    _all(_one(*_of(_LIST)), _in, _items(_text)),
    _all(_numbers, _order, _number | _numbers),
    _all(_numbers, _in, _items(_number)),
    _all(_number, _order, _numbers | _number),
    _all(_one(*_of(_FLAG)), _equal, _one("true", "false")),
    _all(_one(*_of(_FLAG)), _in, _items(_one("true", "false"))),
    _all(_times, _order, _time | _times),
    _all(_times, _in, _items(_time)),
    _all(_time, _order, _times),
    _all("OwnerId", _equal, _one(*map(quoted, _IDS))),
    _all("OwnerId", _in, _items(_one(*map(quoted, _IDS)))),
    _all(_odds, _order, _text | _number | _one("2026-11-23")),
    _all(_odds, _equal, _one("true")),
    _all(_odds, _in, _items(_text | _number)),
    _all(_any, "is", _one("empty", "present", "not empty")),
    _all(_any, "changed"),
)

conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        _all("(", inner, ")", _one("and", "or"), "(", inner, ")"),
        _all("not (", inner, ")"),
        _all(_one("all", "any"), "{", st.lists(inner, min_size=1, max_size=3).map("\n".join), "}"),
    ),
    max_leaves=6,
)

records = st.fixed_dictionaries(
    {name: st.sampled_from(values) for name, values in {**SALESFORCE, **_OUTREACH}.items()}
)
#: Which fields differ from the values last synced.
CHANGES = st.frozensets(_any, max_size=8)


def key(ref: FieldRef) -> str:
    """A field as a record names it."""
    return ref.path if ref.side == "salesforce" else f"outreach.{ref.path}"


def resolved(condition: str) -> Condition:
    """A condition of a Lead's toggle, resolved; it must have no error but what can be run."""
    found = checked(
        f"sync Lead <-> prospect {{ match Email = emails polling inbound create when {condition} }}"
    )
    wrong = [d.message for d in found.diagnostics if d.is_error and not CODES[d.code].silenceable]
    assert not wrong, wrong
    when = found.program.pairs[0].toggle("inbound create").when
    assert when is not None
    return when
