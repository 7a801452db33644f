"""Lists and single records: pages, sorts, filters, sparse fields, what is included, real shapes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsl.schema import Side
from engine.model import Write
from engine.stores.local import load, open_org
from tests.sandbox.outreach_client import Client, errors, outreach

DATA = Path(__file__).parents[1] / "data" / "outreach"
NAMES = ["Al", "al", "Bo", "", "Ça", None]
START = datetime(2024, 1, 1, tzinfo=UTC)


def _records() -> list[dict[str, Any]]:
    """Prospects with repeated, missing and odd values, so that sorts and filters have work."""
    found = []
    for at in range(60):
        moment = (START + timedelta(hours=at // 3)).isoformat(timespec="milliseconds")[:23] + "Z"
        found.append(
            {
                "type": "prospect",
                "id": at + 1,
                "attributes": {
                    "firstName": NAMES[at % len(NAMES)],
                    "lastName": f"L{at % 7}",
                    "title": f"T, {at % 4}..x",
                    "engagedScore": None if at % 5 == 0 else at % 9 / 2,
                    "engagedAt": None if at % 3 else moment,
                    "emails": [f"P{at}@X.example", f"q{at}@y.example"] if at % 4 else [],
                    "createdAt": moment,
                    "updatedAt": moment,
                },
                "relationships": {
                    "account": {"data": {"type": "account", "id": at % 3} if at % 3 else None},
                },
            }
        )
    return found


RECORDS = _records()


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("org") / "outreach.db"


@pytest.fixture(scope="module")
def client(org: Path) -> Iterator[Client]:
    folder = org.parent
    (folder / "data").mkdir()
    (folder / "data" / "prospect.json").write_text(json.dumps(RECORDS), encoding="utf-8")
    with outreach(org) as found:
        for name in ("A", "B"):
            found.make("account", name=name)
        here = open_org(Side.OUTREACH, org)
        load(here, folder / "data")
        here.close()
        yield found


def _walk(client: Client, path: str) -> list[list[int]]:
    """The ids of all pages from a first one, by its links."""
    pages = []
    address: str | None = path
    while address:
        document = client.get(address)
        pages.append([each["id"] for each in document["data"]])
        address = document["links"].get("next")
    return pages


SORTS = ["firstName", "lastName", "engagedScore", "engagedAt", "updatedAt", "id"]
sorts = st.lists(
    st.tuples(st.sampled_from(SORTS), st.booleans()), max_size=3, unique_by=lambda term: term[0]
)


def _sorted(terms: list[tuple[str, bool]]) -> list[int]:
    """The records in order, plainly: missing values before all others."""
    found = list(RECORDS)
    if not any(name == "id" for name, _ in terms):
        terms = [*terms, ("id", False)]
    for name, descends in reversed(terms):
        found.sort(key=lambda r, n=name: _key(r, n), reverse=descends)  # type: ignore[misc]
    return [record["id"] for record in found]


def _key(record: dict[str, Any], name: str) -> Any:
    value = record["id"] if name == "id" else record["attributes"][name]
    return (value is not None, value.encode() if isinstance(value, str) else value or 0)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(size=st.integers(1, 70), terms=sorts, old=st.booleans())
def test_pages_show_every_record_once_in_the_order_asked_for(
    client: Client, size: int, terms: list[tuple[str, bool]], old: bool
) -> None:
    sort = ",".join(f"-{name}" if descends else name for name, descends in terms)
    word = "limit" if old else "size"
    path = f"prospects?fields[prospect]=&page[{word}]={max(size, 6)}&sort={sort}"
    pages = _walk(client, path)
    assert [record for page in pages for record in page] == _sorted(terms)
    assert all(len(page) == max(size, 6) for page in pages[:-1])


def test_a_page_before_a_cursor_is_the_one_that_came_before(client: Client) -> None:
    path = "prospects?sort=-engagedScore,lastName&page[size]=13&fields[prospect]=lastName"
    first = client.get(path)
    second = client.get(first["links"]["next"])
    third = client.get(second["links"]["next"])
    back = client.get(third["links"]["prev"])
    assert back["data"] == second["data"]
    assert client.get(back["links"]["prev"])["data"] == first["data"]
    assert "prev" not in client.get(back["links"]["prev"])["links"]
    assert client.get(back["links"]["first"])["data"] == first["data"]
    assert client.get(back["links"]["next"])["data"] == third["data"]


def test_links_carry_the_parameters_of_the_request(client: Client) -> None:
    path = "prospects?sort=lastName&filter[lastName]=L1,L2&fields[prospect]=lastName&page[size]=4"
    link = client.get(path)["links"]["next"]
    asked = dict(parse_qsl(urlsplit(link).query))
    assert asked["sort"] == "lastName"
    assert asked["filter[lastName]"] == "L1,L2"
    assert asked["page[size]"] == "4"
    # A client that adds its own parameters to the link gets the same page.
    twice = client.get(link, params={"sort": "lastName", "page[size]": "4"})
    assert twice["data"] == client.get(link)["data"]


def test_a_list_tells_its_count_unless_it_is_told_not_to(client: Client) -> None:
    assert client.get("prospects")["meta"] == {"count": 60, "count_truncated": False}
    assert client.get("prospects?filter[id]=1..7")["meta"]["count"] == 7
    assert client.get("prospects?count=false")["meta"] == {"count": 0, "count_truncated": True}
    assert client.get("texts")["meta"] == {"count": 0, "count_truncated": False}
    old = client.get("prospects?page[limit]=25&page[offset]=50")
    assert len(old["data"]) == 10
    assert "next" not in old["links"]
    assert len(client.get(old["links"]["last"])["data"]) == 10
    assert len(client.get("prospects")["data"]) == 50


Predicate = Callable[[dict[str, Any]], bool]
A = "attributes"


def _account(record: dict[str, Any]) -> Any:
    data = record["relationships"]["account"]["data"]
    return data and data["id"]


FILTERS: list[tuple[str, Predicate]] = [
    ("filter[firstName]=al", lambda r: (r[A]["firstName"] or "").lower() == "al"),
    ("filter[firstName]=Al,Bo", lambda r: r[A]["firstName"] in ("Al", "al", "Bo")),
    ("filter[firstName]=__null__", lambda r: r[A]["firstName"] is None),
    ("filter[firstName]=__notnull__", lambda r: r[A]["firstName"] is not None),
    ("filter[engagedScore]=1..2.5", lambda r: 1 <= (r[A]["engagedScore"] or 0) <= 2.5),
    ("filter[engagedScore]=0.5,3", lambda r: r[A]["engagedScore"] in (0.5, 3)),
    ("filter[id]=5,7,99", lambda r: r["id"] in (5, 7)),
    ("filter[id]=neginf..3", lambda r: r["id"] <= 3),
    ("filter[updatedAt]=2024-01-01T05:00:00Z..inf", lambda r: r[A]["updatedAt"][11:13] >= "05"),
    ("filter[updatedAt]=2024-01-02..inf", lambda r: False),
    (
        "filter[updatedAt]=neginf..2024-01-01T03:00:00%2B01:00",
        lambda r: r[A]["updatedAt"][11:13] <= "02",
    ),
    (
        "filter[updatedAt]=neginf..2024-01-01T02:00:00.000",
        lambda r: r[A]["updatedAt"][11:13] <= "02",
    ),
    ("filter[engagedAt]=neginf..inf", lambda r: r[A]["engagedAt"] is not None),
    ("filter[emails]=p5@x.example", lambda r: r["id"] == 6),
    ("filter[emails]=q5@Y.example,Q6@y.example", lambda r: r["id"] in (6, 7)),
    ("filter[emails]=__null__", lambda r: not r[A]["emails"]),
    ("filter[account][id]=1", lambda r: _account(r) == 1),
    ("filter[account][id]=1,2&filter[id]=1..9", lambda r: bool(_account(r)) and r["id"] < 10),
    ("filter[account][id]=__null__", lambda r: _account(r) is None),
    ("filter[title]=T, 1..x&newFilterSyntax=true", lambda r: r["id"] % 4 == 2),
    (
        "newFilterSyntax=true&filter[title][]=T, 1..x&filter[title][]=T, 2..x",
        lambda r: r["id"] % 4 in (2, 3),
    ),
    ("newFilterSyntax=true&filter[id][gte]=5&filter[id][lt]=8", lambda r: 5 <= r["id"] < 8),
    ("newFilterSyntax=true&filter[id][gt]=5&filter[id][lte]=8", lambda r: 5 < r["id"] <= 8),
    ("newFilterSyntax=true&filter[account][id][gte]=2", lambda r: _account(r) == 2),
    ("filter[firstName]=%F0%9F%98%80%00", lambda r: False),
    ("filter[id]=3,5,,", lambda r: r["id"] in (3, 5)),
    ("filter[q]=L3", lambda r: r["id"] % 7 == 4),
    ("filter[q]=q1", lambda r: any(e[1:2] == "1" for e in r["attributes"]["emails"][1:])),
    ("filter[q]=_t, 1..X_", lambda r: r["id"] % 4 == 2),
    ("filter[q]=.example", lambda r: False),
]


@pytest.mark.parametrize(("query", "holds"), FILTERS)
def test_a_filter_lets_through_just_what_it_says(
    client: Client, query: str, holds: Predicate
) -> None:
    document = client.get(f"prospects?{query}&fields[prospect]=&page[size]=100")
    assert [each["id"] for each in document["data"]] == [r["id"] for r in RECORDS if holds(r)]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("filter[custom1]=x", "filter[custom1]"),
        ("filter[externalId]=x", "filter[externalId]"),
        ("filter[trashedAt]=__null__", "filter[trashedAt]"),
        ("filter[nothing]=x", "filter[nothing]"),
        ("filter[q]=", "filter[q]"),
        ("filter[account]=1", "filter[account]"),
        ("filter[account][name]=A", "filter[account][name]"),
        ("filter[account][id]=A", "filter[account][id]"),
        ("filter[tasks][id]=1", "filter[tasks][id]"),
        ("filter[updatedAt]=yesterday", "filter[updatedAt]"),
        ("filter[updatedAt]=2024-13-01..inf", "filter[updatedAt]"),
        ("filter[id]=1e3", "filter[id]"),
        ("filter[id]=" + "9" * 30, "filter[id]"),
        ("filter[emails]=a..b", "filter[emails]"),
        ("filter[id][gte]=5", "filter[id][gte]"),
        ("newFilterSyntax=true&filter[id][near]=5", "filter[id][near]"),
        ("newFilterSyntax=perhaps", "newFilterSyntax"),
        ("sort=emails", "sort"),
        ("sort=custom1", "sort"),
        ("sort=-nothing", "sort"),
        ("fields[prospect]=nothing", "fields[prospect]"),
        ("include=nothing", "include"),
        ("include=tasks", "include"),
        ("include=account.owner.role.x", "include"),
        ("page[size]=1001", "page[size]"),
        ("page[size]=0", "page[size]"),
        ("page[size]=many", "page[size]"),
        ("page[limit]=5&page[offset]=10001", "page[offset]"),
        ("page[after]=nonsense", "page[after]"),
        ("page[after]=W10=", "page[after]"),
        ("page[before]=%C3%A4", "page[before]"),
        ("count=maybe", "count"),
    ],
)
def test_what_a_list_cannot_do_is_refused(client: Client, query: str, parameter: str) -> None:
    answer = client.ask("GET", f"prospects?{query}")
    assert answer.status_code == 422, answer.text
    assert errors(answer) == [("validationError", parameter)]


def test_a_cursor_is_good_for_its_own_sort_only(client: Client) -> None:
    link = client.get("prospects?page[size]=5&sort=lastName")["links"]["next"]
    assert client.ask("GET", link.replace("lastName", "firstName")).status_code == 422


def test_mailings_come_a_hundred_a_page_at_most(client: Client, org: Path) -> None:
    here = open_org(Side.OUTREACH, org)
    here.write("mailing", [Write(None, {"subject": f"M{at}"}) for at in range(103)])
    here.close()
    assert [len(page) for page in _walk(client, "mailings?page[size]=1000")] == [100, 3]
    assert len(client.get("mailings?page[limit]=1000")["data"]) == 100


def test_only_the_fields_asked_for_are_told(client: Client) -> None:
    query = "fields[prospect]=lastName,account&fields[account]=name&include=account"
    document = client.get(f"prospects/2?{query}")
    assert document["data"]["attributes"] == {"lastName": "L1"}
    assert document["data"]["relationships"] == {"account": {"data": {"type": "account", "id": 1}}}
    [included] = document["included"]
    assert (included["type"], included["id"]) == ("account", 1)
    assert included["attributes"] == {"name": "A"}


def test_each_included_record_comes_once(client: Client) -> None:
    document = client.get("prospects?include=account,account.owner&page[size]=30")
    assert [each["id"] for each in document["included"]] == [1, 2]


def test_relationships_of_many_say_who_is_in_them(client: Client) -> None:
    record = client.make("opportunityStage", name="Open")
    value = {"name": "Deal", "closeDate": "2026-01-01T00:00:00Z"}
    deal = client.make("opportunity", {"opportunityStage": record, "account": 1}, **value)
    client.make("opportunityProspectRole", {"opportunity": deal, "prospect": 2})
    found = client.get("prospects/2")["data"]["relationships"]
    assert found["opportunities"]["data"] == [{"type": "opportunity", "id": deal}]
    assert found["opportunities"]["meta"] == {"count": 1}
    related = client.get(found["opportunities"]["links"]["related"])
    assert [each["id"] for each in related["data"]] == [deal]
    tasks = found["tasks"]
    assert "data" not in tasks
    assert client.get(tasks["links"]["related"])["data"] == []
    assert found["account"] == {"data": {"type": "account", "id": 1}}


def test_what_is_not_there_is_not_found(client: Client) -> None:
    for path in ("prospects/999", "prospects/x", "prospects/0", "widgets", "prospects/1/2/3"):
        answer = client.ask("GET", path)
        assert answer.status_code == 404, path
        assert errors(answer) == [("resourceNotFound", "")]
    detail = client.ask("GET", "prospects/999").json()["errors"][0]["detail"]
    assert detail == "Could not find 'prospect' with ID '999'."


def test_what_an_org_has_none_of_is_an_empty_list(client: Client) -> None:
    asked = "sort=updatedAt&newFilterSyntax=true&filter[updatedAt][gte]=2024-01-01&count=true"
    found = client.get(f"personas?{asked}")
    assert (found["data"], found["meta"]["count"]) == ([], 0)
    assert "next" not in found["links"]
    assert client.ask("GET", "personas/1").status_code == 404
    assert client.ask("POST", "personas", {}).status_code == 405
    assert client.ask("GET", "personas?sort=nothing").status_code == 422


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("text/html", 200),
        ("application/vnd.api+json;q=0.5", 200),
        ("application/vnd.api+json; version=2, application/vnd.api+json", 200),
        ("application/vnd.api+json; version=2", 406),
    ],
)
def test_documents_come_in_one_kind(client: Client, accept: str, status: int) -> None:
    headers = {"Accept": accept}
    answer = client.session.get(f"{client.api}/prospects/1", headers=headers, timeout=60)
    assert answer.status_code == status
    if status == 406:
        assert errors(answer) == [("notAcceptable", "")]


def test_addresses_may_end_with_a_slash(client: Client) -> None:
    assert client.get("prospects/1/")["data"]["id"] == 1
    assert client.get("")["links"]["prospects"].endswith("/api/v2/prospects")


def test_real_records_come_back_in_their_own_shape(tmp_path: Path) -> None:
    org = open_org(Side.OUTREACH, tmp_path / "outreach.db")
    load(org, DATA)
    org.close()
    with outreach(tmp_path / "outreach.db") as client:
        for name in ("account", "prospect", "stage", "task", "user"):
            records = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
            # They are from several orgs: of two with one id, the org has the last.
            for real in {each["id"]: each for each in records}.values():
                found = client.get(f"{name}s/{real['id']}")["data"]
                assert found["type"] == name
                attributes = {name: found["attributes"][name] for name in real["attributes"]}
                assert attributes == real["attributes"]
                assert found["links"]["self"] == f"{client.api}/{name}s/{real['id']}"
                for relation, value in real.get("relationships", {}).items():
                    told = found["relationships"][relation]
                    if "links" in value:
                        tail = value["links"]["related"].rpartition("/api/v2/")[2]
                        assert told["links"]["related"].endswith(f"/api/v2/{tail}")
                    elif value["data"] is None or "type" not in value["data"]:
                        assert told["data"] == value["data"]
                    elif value["data"]["type"] is not None:
                        assert told == value
