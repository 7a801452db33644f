"""Dates and numbers as people's locales write them, and what a file tells of its own locale."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from dsl.schema import Kind
from dsl.values import stamp

__all__ = ["LOCALES", "Evidence", "Locale", "parse_boolean", "parse_date", "parse_number"]


@dataclass(frozen=True, slots=True)
class Locale:
    """How a locale writes: `mdy`, `dmy` or `ymd`, and its decimal mark; "" is not known."""

    order: str = ""
    decimal: str = ""


#: The locales that can be named, as Salesforce writes their names.
LOCALES = {
    **dict.fromkeys(("en_US",), Locale("mdy", ".")),
    **dict.fromkeys(
        ("en_GB", "en_AU", "en_CA", "en_IE", "en_IN", "en_NZ", "en_ZA", "es_MX", "de_CH"),
        Locale("dmy", "."),
    ),
    **dict.fromkeys(
        ("de_DE", "de_AT", "fr_FR", "fr_BE", "es_ES", "it_IT", "nl_NL", "nl_BE", "pt_BR", "pt_PT"),
        Locale("dmy", ","),
    ),
    **dict.fromkeys(("cs_CZ", "da_DK", "fi_FI", "no_NO", "pl_PL", "tr_TR"), Locale("dmy", ",")),
    **dict.fromkeys(("fr_CA", "hu_HU", "lt_LT", "sv_SE"), Locale("ymd", ",")),
    **dict.fromkeys(("ja_JP", "ko_KR", "zh_CN", "zh_TW"), Locale("ymd", ".")),
}

_DATE = re.compile(r"(\d{1,4})([./-]) ?(\d{1,2})\2 ?(\d{1,4})\.?(?:[ ,T]+(.+))?", re.ASCII)
_TIME = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([ap])?\.?(?:m\.?)?", re.ASCII | re.IGNORECASE
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?", re.ASCII)
_MONEY = re.compile(r"^[A-Z]{3}\s*|\s*[A-Z]{3}$|[$€£¥%\s'\u2019\u00a0\u202f]")
_LONGEST = 64  # characters of a number, whatever it is written with
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_GROUPED = {
    mark: re.compile(
        rf"-?\d{{1,3}}(?:[{other}]\d{{2,3}})*[{other}]\d{{3}}(?:[{mark}]\d+)?", re.ASCII
    )
    for mark, other in ((".", ","), (",", "."))
}
_WORDS = {
    **dict.fromkeys(("1", "true", "yes", "y", "x", "checked", "wahr", "ja", "vrai", "oui"), True),
    **dict.fromkeys(("0", "false", "no", "n", "unchecked", "falsch", "nein", "faux"), False),
    **dict.fromkeys(("verdadero", "vero", "waar", "sim", "verdadeiro"), True),
    **dict.fromkeys(("falso", "onwaar", "non", "nee"), False),
}


def parse_boolean(text: str) -> bool | None:
    """A checkbox: 0 or 1, or words that Excel writes for them; None if it is neither."""
    return _WORDS.get(text.casefold())


# -- numbers ------------------------------------------------------------------------------------


def _bare(text: str) -> str:
    """A number without its currency, percent sign and spaces."""
    bare = _MONEY.sub("", text[:_LONGEST])
    return f"-{bare[1:-1]}" if bare.startswith("(") and bare.endswith(")") else bare


def _mark_of(text: str) -> str | None:
    """The decimal mark that a number shows; "" if it has none, None if it may be either."""
    marks = [c for c in text[:_LONGEST] if c in ".,"]
    if not marks:
        return ""
    last = marks[-1]
    if len(set(marks)) == 2:
        return last
    if len(marks) > 1:
        return "," if last == "." else "."
    whole, _, rest = _bare(text).lstrip("-").partition(last)
    if len(rest) != 3 or len(whole) > 3 or whole in ("", "0"):
        return last
    return None


def parse_number(text: str, locale: Locale) -> int | float | None:
    """A number with the locale's separators; None if it is none."""
    if len(text) > _LONGEST:
        return None
    mark = locale.decimal or _mark_of(text) or "."
    bare = _bare(text)
    if _GROUPED[mark].fullmatch(bare):
        bare = bare.replace("," if mark == "." else ".", "")
    bare = bare.replace(mark, ".") if bare.count(".") == 0 or mark == "." else ""
    if not _PLAIN.fullmatch(bare):
        return None
    return float(bare) if "." in bare else int(bare)


# -- dates --------------------------------------------------------------------------------------


def _order_of(text: str) -> str | None:
    """The order that a date shows; "" if it shows none (ISO, or no date), None if it may be two."""
    found = _DATE.fullmatch(text)
    if found is None:
        return ""
    one, mark, two = found[1], found[2], found[3]
    if len(one) == 4 or mark == ".":
        return ""
    if int(one) > 12:
        return "dmy"
    if int(two) > 12:
        return "mdy"
    return "" if one == two else None


def parse_date(text: str, kind: Kind, locale: Locale, zone: tzinfo) -> str | None:
    """A date as `YYYY-MM-DD`, a date-time as a stamp in UTC; None if it is neither.

    A date-time without a zone is in `zone`, as the one who exported it saw it.
    """
    moment = _iso(text, zone) if _ISO.fullmatch(text) else _written(text, locale, zone)
    if moment is None:
        return None
    if kind is Kind.DATE:
        return moment.date().isoformat()
    try:
        return stamp(moment.astimezone(UTC))
    except OverflowError:
        return None


def _iso(text: str, zone: tzinfo) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _written(text: str, locale: Locale, zone: tzinfo) -> datetime | None:
    found = _DATE.fullmatch(text)
    clock = _clock(found[5]) if found else None
    if found is None or clock is None:
        return None
    one, two, three = found[1], found[3], found[4]
    order = locale.order
    if len(one) == 4:
        order = "ymd"
    elif found[2] == "." and order in ("", "mdy", "ymd") and len(three) == 4:
        order = "dmy"
    parts = dict(zip(order or _order_of(text) or "mdy", (one, two, three), strict=True))
    year = int(parts["y"])
    if len(parts["y"]) <= 2:
        year += 2000 if year < 70 else 1900
    try:
        return datetime.combine(date(year, int(parts["m"]), int(parts["d"])), clock, zone)
    except ValueError:
        return None


def _clock(text: str | None) -> time | None:
    if text is None:
        return time()
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if half := (found[4] or "").casefold():
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return time(hour, minute, second)
    except ValueError:
        return None


# -- what a file tells --------------------------------------------------------------------------


class Evidence:
    """What the dates and numbers of a file, one after another, tell of its locale."""

    def __init__(self) -> None:
        self._orders: dict[str, str] = {}
        self._marks: dict[str, str] = {}
        self._open: dict[str, tuple[str, str]] = {}

    def see(self, column: str, kind: Kind, text: str) -> None:
        """Look at one cell that is not empty."""
        if kind is Kind.NUMBER:
            what, shown, found = "number", _mark_of(text), self._marks
        else:
            what, shown, found = "date", _order_of(text), self._orders
        if shown is None:
            self._open.setdefault(what, (column, text))
        elif shown:
            found.setdefault(shown, text)

    def doubt(self) -> str | None:
        """What cannot be told, in words; None if nothing is left open."""
        for what, found in (("date", self._orders), ("number", self._marks)):
            if len(found) > 1:
                one, two = list(found.values())[:2]
                return f"`{one}` and `{two}` are {what}s of two locales"
            if not found and what in self._open:
                column, text = self._open[what]
                return f"`{text}` in `{column}` is another {what} in another locale"
        return None

    def locale(self) -> Locale:
        """What was told."""
        return Locale(next(iter(self._orders), ""), next(iter(self._marks), ""))
