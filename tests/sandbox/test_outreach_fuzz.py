"""Requests by chance, half sensible: none breaks the Outreach sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.sandbox.outreach.actions import ACTIONS
from engine.sandbox.outreach.resources import resources
from tests.sandbox.outreach_client import MEDIA_TYPE, Client, outreach

TYPES = sorted(resources())
OWN = ["webhooks", "webhooks/1", "imports", "imports/1", "imports/actions/bulkUpsert"]
STATUSES = {200, 201, 204, 400, 404, 405, 409, 415, 422}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with outreach(tmp_path_factory.mktemp("org") / "outreach.db") as found:
        found.make("account", name="A")
        found.make("user", email="u@example.com", firstName="U", lastName="V")
        found.make("prospect", {"account": 1}, firstName="Al", emails=["al@example.com"])
        found.make("sequence", name="S")
        found.make("sequenceStep", {"sequence": 1}, order=1, stepType="call")
        found.make("sequenceState", {"sequence": 1, "prospect": 1})
        yield found


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 70), 1 << 70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["2024-01-01T00:00:00Z", "a@b.co", "9" * 30, "\ud800", "\0"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@st.composite
def documents(draw: st.DrawFn, type_name: str) -> Any:
    """A document of a type, of which a part may be something else."""
    resource = resources()[type_name]
    names = st.sampled_from([*resource.attributes, "nothing"])
    related = st.sampled_from([*resource.relationships, "nothing"])
    identifier = st.fixed_dictionaries(
        {"type": st.sampled_from(TYPES), "id": st.one_of(st.just(1), scalars)}
    )
    data = {
        "type": type_name,
        "attributes": draw(st.one_of(st.dictionaries(names, values, max_size=4), values)),
        "relationships": draw(
            st.one_of(
                st.dictionaries(related, st.fixed_dictionaries({"data": identifier}), max_size=2),
                values,
            )
        ),
    }
    if draw(st.booleans()):
        data["id"] = draw(st.one_of(st.just(1), scalars))
    return draw(st.one_of(st.just({"data": data}), st.just({"data": draw(values)}), values))


@st.composite
def queries(draw: st.DrawFn, type_name: str) -> dict[str, str]:
    """Parameters of a list, of which some make sense."""
    fields = [*resources()[type_name].object.fields, "nothing", ""]
    keys = st.one_of(
        st.sampled_from(fields).map(lambda n: f"filter[{n}]"),
        st.sampled_from(fields).map(lambda n: f"filter[{n}][id]"),
        st.sampled_from(fields).map(lambda n: f"filter[{n}][gte]"),
        st.sampled_from(["sort", "include", "count", "page[size]", "page[limit]", "page[offset]"]),
        st.sampled_from(["page[after]", "page[before]", "newFilterSyntax", f"fields[{type_name}]"]),
        st.text(max_size=6),
    )
    texts = st.one_of(
        st.text(max_size=8),
        st.sampled_from(["1", "true", "1..2", "..", "a,b", "__null__", "2024-01-01..inf", "-id"]),
        st.lists(st.sampled_from(fields), max_size=3).map(",".join),
    )
    return draw(st.dictionaries(keys, texts, max_size=4))


@st.composite
def requests_by_chance(draw: st.DrawFn) -> tuple[str, str, dict[str, str], bytes | None]:
    type_name = draw(st.sampled_from(TYPES))
    plural = resources()[type_name].plural
    action = draw(st.sampled_from(sorted(name for _, name in ACTIONS)))
    paths = [plural, f"{plural}/1", f"{plural}/{1 << 80}", f"{plural}/1/actions/{action}"]
    path = draw(st.sampled_from([plural, *paths, *OWN]))
    method = draw(st.sampled_from(["GET", "GET", "POST", "PATCH", "DELETE", "PUT"]))
    body = None
    if method in ("POST", "PATCH"):
        body = json.dumps(draw(documents(type_name))).encode()
    return method, path, draw(queries(type_name)), body


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(asked=requests_by_chance())
def test_no_request_breaks_the_server(
    client: Client, asked: tuple[str, str, dict[str, str], bytes | None]
) -> None:
    method, path, query, body = asked
    headers = {"Content-Type": MEDIA_TYPE}
    address = f"{client.api}/{path}"
    params = {k: v.encode("utf-8", "replace") for k, v in query.items()}
    answer = client.session.request(
        method, address, params=params, data=body, headers=headers, timeout=60
    )
    assert answer.status_code in STATUSES, (answer.status_code, answer.text)
    if answer.status_code >= 400:
        assert all(e["id"] and e["title"] and e["detail"] for e in answer.json()["errors"])
    elif answer.status_code != 204:
        assert "data" in answer.json()
