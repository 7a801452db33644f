"""Rule texts by chance: words that the grammar allows, and anything at all between them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle

from hypothesis import strategies as st

__all__ = ["GAPS", "joined", "words"]

Words = list[str]
Some = st.SearchStrategy[Words]

#: What can stand between two words; each comment is told from the others by `joined`.
GAPS = [
    *(" ", " ", " ", "  ", "\t", "\n", "\n", "\n", "\r\n", "\n\n", "\n\n\n\t", " \r\n\r\n  ", "\f"),
    *(" # c{}\n", ' # c{} {{ }} "\n', "\n# c{}\n", "\n\n# c{}\n\n", "\n\t# c{}\r\n# d{}\r\n\r\n"),
    *("# c{} ü\t \n\n\n", "\n#\n", "\n#lint: allow CW402 c{}\n"),
]

_NAME = st.sampled_from(
    [
        "Lead",
        "Email",
        "Rating__c",
        "prospect",
        "firstName",
        "color",
        "title",
        "present",
        "ünal",
        "日本",
    ]
)
_STRING = st.sampled_from(
    [
        *('""', '"x"', '"Open - Not Contacted"', r'"a\"b\\c\n\t\u{1F600}\u{9}"', '"\t\u00a0"'),
        *('"# {"', '"' + "long " * 12 + '"'),
    ]
)
_ARROW = st.sampled_from(["<->", "->", "<-"])
_SIDE = st.sampled_from(["salesforce", "outreach"])
_UNIT = st.sampled_from(["second", "seconds", "minute", "minutes", "hour", "hours", "day", "days"])
_COUNT = st.sampled_from(["0", "1", "01", "2", "500", "10000"])


def _chained(parts: Iterable[Words]) -> Words:
    return [word for words in parts for word in words]


def _all(*parts: Some | str) -> Some:
    """One after another."""
    each = [st.just([part]) if isinstance(part, str) else part for part in parts]
    return st.tuples(*each).map(_chained)


def _one(words: st.SearchStrategy[str]) -> Some:
    return words.map(lambda word: [word])


def _several(part: Some, least: int = 0, most: int = 3) -> Some:
    return st.lists(part, min_size=least, max_size=most).map(_chained)


def _block(part: Some, most: int = 3) -> Some:
    return _all("{", _several(part, 0, most), "}")


def _words(text: str) -> Some:
    """Words of which each may be one of several: `inbound|outbound create`."""
    return _all(*(_one(st.sampled_from(word.split("|"))) for word in text.split()))


_name, _string = _one(_NAME), _one(_STRING)
_duration = _all(_one(_COUNT), _one(_UNIT))
_path = _name | _all(_name, ".", _name) | _all("salesforce", ".", _name, ".", _name)
_plain = _string | _words("12|-3|1.5|007|true|false")
_dated = _words("2026-11-23|2026-11-23T09:30:00Z|2026-11-23T09:30:00+02:00")
_moving = _words("now|today") | _all(_duration, "ago")
_expression = st.recursive(
    _path | _plain | _dated | _moving,
    lambda inner: (
        _all(_words("lower(|coalesce("), inner, ")")
        | _all("concat(", inner, ",", inner, ")")
        | st.just(["f(", ")"])
    ),
    max_leaves=3,
)
_test_of = (
    _all(_expression, _words("=|!=|<|<=|>|>="), _expression)
    | _all(_path, _words("contains|matches"), _expression)
    | _all(_path, _words("not starts|ends with"), _string)
    | _all(_path, "in", "(", _plain, ",", _plain, ")")
    | _all(_path, _words("not in"), "(", _string, ")")
    | _all(_path, _words("is empty|present") | _words("is not empty") | st.just(["changed"]))
)
_condition = st.recursive(
    _test_of,
    lambda inner: (
        _all(inner, _words("and|or"), inner)
        | _all(inner, "and", inner, "or", inner)
        | _all("(", inner, ")")
        | _all("not", "(", inner, ")")
        | _all(_words("all|any"), "{", _several(inner, 1), "}")
    ),
    max_leaves=6,
)
_when = _all("when", _condition)
_switch = _words("on|off")

_modifier = (
    _words("prevent empty")
    | _words("prevent empty inbound|outbound")
    | _all("via", _name)
    | _words("prefer salesforce|outreach|newest")
    | st.just(["once"])
    | _when
)
_field_line = _all(_expression, _one(_ARROW), _expression, _several(_modifier))
_use = _all("use", _name)
_option = (
    _switch
    | _words("from outreach|anywhere")
    | _all("->", _name)
    | _all("title", _string)
    | _all("title", "from", _name)
    | _when
)
_activity = _all(
    _words("email sent|opened") | _words("call logged") | _words("meeting booked"),
    _several(_option),
    st.just([]) | _block(_field_line, 2),
)
_clause = (
    _all("match", _path, "=", _path, _several(_all("and", _path, "=", _path), 0, 2))
    | _all(_words("polling|pushing"), _several(_switch | _all("every", _duration) | _when))
    | _all(_words("inbound|outbound create|update|delete"), _several(_switch | _when))
    | _all(_words("sync down") | _words("fallback association"), _several(_switch, 0, 1))
    | _words("conflict prefer salesforce|outreach|newest")
    | _all("fields", _block(_field_line | _use))
    | _all("activities", _block(_activity | _use))
)
_list = _all("[", "]") | _all("[", _string, ",", _plain, "]")
_record = _all(_name, _block(_all(_name, ":", _plain | _dated | _moving | _list)))
_statement = (
    _all("given", _record, _several(_all("linked", _record), 0, 2))
    | _all("when", _record)
    | _all("expect", _record)
    | _all("expect", "no", _name)
    | _all("expect", "conflict", "on", _name)
)
_pair = _all(_plain, _one(_ARROW), _plain, st.just([]) | _all("color", _string))
_otherwise = _words("otherwise hold|clear|same") | _all("otherwise", _string)
_item = (
    st.just(["crosswalk", "1"])
    | _all(
        "limits",
        _block(_all(_one(_SIDE), _words("total|own"), _one(_COUNT), _words("per day|hour"))),
    )
    | _all(
        "guard",
        _block(
            _all(_words("creates|updates"), _one(_COUNT), _words("per run"))
            | _all("blanking", _one(_COUNT), "%")
        ),
    )
    | _all(_words("stages|values"), _name, _block(_pair | _otherwise))
    | _all("fields", _name, _block(_field_line))
    | _all("activities", _name, _block(_activity))
    | _all("sync", _name, "<->", _name, _block(_clause, 4))
    | _all("test", _string, _block(_statement))
)

#: The words of a rule file, in an order that the grammar allows; a function has its parenthesis.
words = _several(_item, 0, 4)


def joined(words: Words, gaps: Words) -> str:
    """Words with what stands between them, over and over; comments are numbered."""
    parts = [gap.format(n, n) + word for n, (gap, word) in enumerate(zip(cycle(gaps), words))]
    return "".join(parts)
