"""SOQL over a local org: shapes of answers, what is refused in which words, pages of many."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dsl.schema import Side
from engine.model import Write
from engine.sandbox.soql import SoqlError, query
from engine.sandbox.soql.days import range_of
from engine.sandbox.soql.locators import Locators, batch_size
from engine.stores.local import SAMPLE, LocalOrg, load, open_org
from engine.stores.local.lists import REPORT, make_list


@pytest.fixture(scope="module")
def org() -> Iterator[LocalOrg]:
    found = open_org(Side.SALESFORCE, Path(":memory:"))
    load(found, SAMPLE / "salesforce")
    lead = query(found, "SELECT Id FROM Lead WHERE Name = 'bertha boxer'").records()[0]["Id"]
    found.create("Task", {"Subject": "Call", "WhoId": lead})
    found.create("Task", {"Subject": "Alone"})
    gone = found.create("Lead", {"LastName": "Gone", "Company": "Nowhere"})
    found.delete("Lead", gone)
    yield found
    found.close()


def found(org: LocalOrg, text: str, **options: Any) -> list[dict[str, Any]]:
    return query(org, text, **options).records()


def bare(record: Any) -> Any:
    """A record without its `attributes`, and what is in it too."""
    if isinstance(record, list):
        return [bare(each) for each in record]
    if isinstance(record, dict):
        return {name: bare(value) for name, value in record.items() if name != "attributes"}
    return record


def test_a_record_has_its_fields_in_the_order_of_the_select(org: LocalOrg) -> None:
    text = "SELECT Phone, id, Company, IsConverted, CreatedDate FROM Lead WHERE LastName = 'boxer'"
    [record] = found(org, text, api="v57.0")
    whole = org.get("Lead", record["Id"])
    assert whole is not None
    names = ["attributes", "Phone", "Id", "Company", "IsConverted", "CreatedDate"]
    assert list(record.items()) == [(name, whole[name]) for name in names]


def test_related_records_are_nested(org: LocalOrg) -> None:
    rose = "FROM Contact c WHERE Email LIKE 'rose@%'"
    [record] = found(org, f"SELECT c.account.name, LastName, Account.Parent.Name {rose}")
    [plain] = found(org, f"SELECT AccountId {rose}")
    account = org.get("Account", plain["AccountId"])
    assert account is not None
    url = f"/services/data/v60.0/sobjects/Account/{account['Id']}"
    inner = {"attributes": {"type": "Account", "url": url}, "Name": account["Name"], "Parent": None}
    assert record["Account"] == inner
    assert list(record) == ["attributes", "Account", "LastName"]


def test_a_reference_to_several_types_is_a_name(org: LocalOrg) -> None:
    text = "SELECT Subject, Who.Name, Who.Type FROM Task ORDER BY Subject DESC"
    [call, alone] = found(org, text)
    assert bare(call) == {"Subject": "Call", "Who": {"Name": "Bertha Boxer", "Type": "Lead"}}
    assert call["Who"]["attributes"]["type"] == "Name"
    assert "/sobjects/Lead/00Q" in call["Who"]["attributes"]["url"]
    assert alone["Who"] is None
    chosen = "SELECT TYPEOF Who WHEN Lead THEN Company, Title WHEN Contact THEN Phone END FROM Task"
    [lead] = found(org, f"{chosen} WHERE Who.Type = 'Lead'")
    assert lead["Who"]["attributes"]["type"] == "Lead"
    assert list(bare(lead)["Who"]) == ["Company", "Title"]


def test_what_only_users_have_is_read_through_their_name_too(org: LocalOrg) -> None:
    [role] = found(org, "SELECT Id, Name FROM UserRole LIMIT 1")
    user = found(org, "SELECT OwnerId FROM Lead WHERE Owner.Type = 'User' LIMIT 1")[0]["OwnerId"]
    org.edit("User", user, {"UserRoleId": role["Id"]})
    text = "SELECT Owner.Type, Owner.UserRole.Name, Owner.Profile.Name FROM Lead"
    [lead] = bare(found(org, f"{text} WHERE Owner.UserRole.Name = '{role['Name']}' LIMIT 1"))
    assert lead["Owner"]["UserRole"] == {"Name": role["Name"]}
    assert lead["Owner"]["Type"] == "User"
    assert "Profile" in lead["Owner"]
    assert bare(found(org, "SELECT RecordType.Name FROM Account LIMIT 1")) == [{"RecordType": None}]


def test_children_come_with_a_total_of_their_own(org: LocalOrg) -> None:
    text = (
        "SELECT Name, (SELECT LastName FROM Contacts WHERE LastName > 'f' ORDER BY LastName DESC"
        " LIMIT 2), (SELECT Id FROM Tasks) FROM Account WHERE Name LIKE 'United Oil & Gas Corp%'"
    )
    [account] = bare(found(org, text))
    assert account["Contacts"]["totalSize"] == 2
    assert account["Contacts"]["done"] is True
    names = [contact["LastName"] for contact in account["Contacts"]["records"]]
    assert names == sorted(names, reverse=True)
    assert account["Tasks"] is None


def test_groups_and_what_is_worked_out_of_them(org: LocalOrg) -> None:
    text = (
        "SELECT StageName, COUNT(Id), MAX(Amount) most, SUM(Amount) FROM Opportunity"
        " GROUP BY StageName HAVING COUNT(Id) > 3 ORDER BY COUNT(Id) DESC, StageName"
    )
    plain = found(org, "SELECT StageName, Amount FROM Opportunity")
    amounts: dict[str, list[float]] = {}
    for each in plain:
        amounts.setdefault(each["StageName"], []).append(each["Amount"] or 0)
    wanted = [
        {"StageName": s, "expr0": len(a), "most": max(a), "expr1": sum(a)}
        for s, a in sorted(amounts.items(), key=lambda item: (-len(item[1]), item[0]))
        if len(a) > 3
    ]
    groups = found(org, text)
    assert bare(groups) == wanted
    assert groups[0]["attributes"] == {"type": "AggregateResult"}


def test_a_count_has_no_records(org: LocalOrg) -> None:
    answer = query(org, "SELECT COUNT() FROM Lead WHERE IsConverted = false")
    assert (answer.total, answer.records()) == (len(found(org, "SELECT Id FROM Lead")), [])
    page = Locators(lambda: datetime.now(UTC)).first(answer, "/query")
    assert page == {"totalSize": answer.total, "done": True, "records": []}


def test_dates_are_grouped_by_their_parts(org: LocalOrg) -> None:
    year = "CALENDAR_YEAR(CreatedDate)"
    text = f"SELECT {year} y, COUNT(Id) n FROM Account GROUP BY {year}"
    years = [each["CreatedDate"][:4] for each in found(org, "SELECT CreatedDate FROM Account")]
    assert bare(found(org, text)) == [
        {"y": int(year), "n": years.count(year)} for year in sorted(set(years))
    ]


def test_joins_in_conditions(org: LocalOrg) -> None:
    inner = "SELECT AccountId FROM Contact WHERE LastName LIKE 'B%'"
    with_ = {r["AccountId"] for r in found(org, inner)}
    semi = f"SELECT Id FROM Account WHERE Id IN ({inner})"
    assert {r["Id"] for r in found(org, semi)} == with_ - {None}
    anti = semi.replace(" IN ", " NOT IN ", 1)
    everything = {r["Id"] for r in found(org, "SELECT Id FROM Account")}
    assert {r["Id"] for r in found(org, anti)} == everything - with_


def test_deleted_records_are_seen_where_they_are_asked_for(org: LocalOrg) -> None:
    text = "SELECT Name, IsDeleted FROM Lead WHERE Company = 'NOWHERE'"
    assert found(org, text) == []
    assert bare(found(org, text, deleted=True)) == [{"Name": "Gone", "IsDeleted": True}]
    live = query(org, "SELECT COUNT() FROM Lead").total
    assert query(org, "SELECT COUNT() FROM Lead", deleted=True).total == live + 1


@pytest.mark.parametrize(
    "order", ["Name", "Title DESC, Name", "SystemModstamp, Id", "Title, Id DESC"]
)
def test_deleted_records_are_sorted_and_cut_with_the_others(order: str) -> None:
    org = open_org(Side.SALESFORCE, Path(":memory:"))
    titles = [None, "b", "A", "c"]
    for n in range(16):
        made = {"LastName": f"N{n * 7 % 16:02}", "Company": "C", "Title": titles[n % 4]}
        record = org.create("Lead", made)
        if n % 3 == 0:
            org.delete("Lead", record)
    text = f"SELECT Id, IsDeleted FROM Lead ORDER BY {order}"
    whole = [record["Id"] for record in found(org, text, deleted=True)]
    assert len(set(whole)) == 16
    assert sum(record["IsDeleted"] for record in found(org, text, deleted=True)) == 6
    live = [record["Id"] for record in found(org, text)]
    assert [record for record in whole if record in live] == live
    cut = found(org, f"{text} LIMIT 5 OFFSET 4", deleted=True)
    assert [record["Id"] for record in cut] == whole[4:9]
    org.close()


def test_an_org_tells_of_itself_and_of_its_lists(org: LocalOrg) -> None:
    [itself] = found(org, "SELECT Id, IsSandbox FROM organization")
    assert itself["Id"].startswith("00D")
    assert itself["IsSandbox"] is True
    made = make_list(org.file, REPORT, "It's hot", "Lead", 'Rating = "Hot"')
    by_name = "SELECT Id, DeveloperName FROM Report WHERE Name = 'IT\\'S HOT'"
    for deleted in (False, True):
        [report] = bare(found(org, by_name, deleted=deleted))
        assert report == {"Id": made.id, "DeveloperName": "It_s_hot"}


def test_null_comes_first_unless_it_is_sent_last(org: LocalOrg) -> None:
    def revenues(order: str) -> list[float | None]:
        text = f"SELECT AnnualRevenue FROM Account ORDER BY AnnualRevenue {order}"
        return [each["AnnualRevenue"] for each in found(org, text)]

    for order in ("", "DESC"):
        known = [value for value in revenues(order) if value is not None]
        assert known == sorted(known, reverse=order == "DESC")
        nulls = [None] * (len(revenues(order)) - len(known))
        assert nulls, "the sample has accounts without revenue"
        assert revenues(order) == [*nulls, *known]
        assert revenues(f"{order} NULLS LAST") == [*known, *nulls]


@pytest.mark.parametrize(
    ("text", "code", "column", "message"),
    [
        ("SELECT Foo FROM Lead", "INVALID_FIELD", 8, "No such column 'Foo' on entity 'Lead'. If"),
        ("SELECT Id FROM Foo", "INVALID_TYPE", 16, "sObject type 'Foo' is not supported. If you"),
        ("SELECT Id FORM Lead", "MALFORMED_QUERY", 11, "unexpected token: 'FORM'"),
        ("SELECT Id FROM", "MALFORMED_QUERY", 15, "unexpected token: '<EOF>'"),
        ("SELECT Foo.Id FROM Lead", "INVALID_FIELD", 8, "Didn't understand relationship 'Foo' in"),
        (
            "SELECT Who.Company FROM Task",
            "INVALID_FIELD",
            8,
            "No such column 'Company' on entity 'Name'",
        ),
        ("SELECT Id, id FROM Lead", "INVALID_FIELD", 12, "duplicate field selected: Id"),
        (
            "SELECT (SELECT Id FROM Foos) FROM Lead",
            "INVALID_TYPE",
            24,
            "Didn't understand relationship 'Foos' in FROM",
        ),
        (
            "SELECT Id FROM Lead WHERE Title = 'a' AND City = 'b' OR City = 'c'",
            "MALFORMED_QUERY",
            54,
            "unexpected token: 'OR'",
        ),
        (
            "SELECT Id FROM Lead WHERE Description = 'x'",
            "INVALID_FIELD",
            27,
            "field 'Description' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Lead ORDER BY Description",
            "INVALID_FIELD",
            30,
            "field 'Description' can not be sorted in a query call",
        ),
        (
            "SELECT Id FROM Lead WHERE Address = 'x'",
            "INVALID_FIELD",
            27,
            "field 'Address' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Lead WHERE CreatedDate > 2026-01-01",
            "INVALID_FIELD",
            41,
            "value of filter criterion for field 'CreatedDate' must be of type dateTime",
        ),
        (
            "SELECT Id FROM Lead WHERE Title = 5",
            "INVALID_FIELD",
            35,
            "value of filter criterion for field 'Title' must be of type string",
        ),
        (
            "SELECT Id FROM Lead WHERE IsConverted = 'true'",
            "INVALID_FIELD",
            41,
            "value of filter criterion for field 'IsConverted' must be of type boolean",
        ),
        (
            "SELECT Id FROM Lead WHERE Id = '00Q'",
            "INVALID_QUERY_FILTER_OPERATOR",
            32,
            "invalid ID field: 00Q",
        ),
        (
            "SELECT Id FROM Lead WHERE Title = 'a\\q'",
            "MALFORMED_QUERY",
            35,
            "Invalid string literal 'a\\q'. Illegal character sequence '\\q'",
        ),
        ("SELECT Id FROM Lead ALL ROWS", "MALFORMED_QUERY", 21, "ALL ROWS not allowed in this"),
        ("SELECT COUNT(), MAX(Name) FROM Lead", "MALFORMED_QUERY", 8, "COUNT() must be the only"),
        (
            "SELECT Id FROM Lead WHERE CreatedDate = SOMEDAY",
            "MALFORMED_QUERY",
            41,
            "unexpected token: 'SOMEDAY'",
        ),
        (
            "SELECT FIELDS(ALL) FROM Lead LIMIT 201",
            "MALFORMED_QUERY",
            8,
            "The SOQL FIELDS function must have a LIMIT of at most 200",
        ),
        (
            "SELECT Name, COUNT(Id) FROM Lead",
            "MALFORMED_QUERY",
            8,
            "Field must be grouped or aggregated: Name",
        ),
        (
            "SELECT SUM(Name) FROM Lead",
            "MALFORMED_QUERY",
            8,
            "field Name does not support aggregate operator SUM",
        ),
        (
            "SELECT CreatedDate FROM Lead GROUP BY CreatedDate",
            "INVALID_FIELD",
            39,
            "field 'CreatedDate' can not be grouped in a query call",
        ),
    ],
)
def test_what_salesforce_refuses_is_refused_in_its_words(
    org: LocalOrg, text: str, code: str, column: int, message: str
) -> None:
    with pytest.raises(SoqlError) as refused:
        query(org, text)
    assert refused.value.code == code
    _, _shown, caret, where, said = refused.value.message.split("\n", 4)
    assert caret.strip() == "^"
    assert where == f"ERROR at Row:1:Column:{column}"
    assert said.startswith(message)


_SEMI = "SELECT Id FROM Account WHERE"
_CONTACTS = "Id IN (SELECT AccountId FROM Contact)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{_SEMI} {_CONTACTS} OR Name = 'x'", "not allowed with the 'OR' operator"),
        (f"{_SEMI} NOT ({_CONTACTS})", "only allowed at the top level WHERE expressions"),
        (f"{_SEMI} Name = 'x' AND (Name = 'y' OR {_CONTACTS})", "only allowed at the top level"),
        (f"{_SEMI} Id IN (SELECT Id FROM Account)", "should not be on the same object type"),
        (f"{_SEMI} Id IN (SELECT Name FROM Contact)", "can only query id fields, cannot use: 'Nam"),
        (f"{_SEMI} Id IN (SELECT OwnerId FROM Contact)", "should point to the same object type"),
        (f"{_SEMI} Id IN (SELECT Account.Id FROM Contact)", "can only query id fields"),
        ("SELECT Name n FROM Lead", "only aggregate expressions use field aliasing"),
        ("SELECT Id FROM Lead WHERE Name = :x", "Bind variables only allowed in Apex code"),
        ("SELECT Id FROM Lead WHERE Name = 'x", "line 1:35 mismatched character '<EOF>'"),
        ("SELECT Id FROM Lead WHERE Name = “x”", "line 1:33 no viable alternative at character '“"),
        ("SELECT FROM Lead", "unexpected token: 'FROM'"),
        ("SELECT Name, GROUPING(Name) FROM Lead GROUP BY Name", "Field must be grouped"),
        ("SELECT Name FROM Lead GROUP BY Name HAVING Phone = '1'", "grouped or aggregated: Phone"),
        ("SELECT Name FROM Contact c, c.Nope n", "Didn't understand relationship 'Nope'"),
    ],
)
def test_a_query_is_refused_in_the_vendors_words(org: LocalOrg, text: str, message: str) -> None:
    with pytest.raises(SoqlError) as refused:
        query(org, text)
    assert message in refused.value.message


@pytest.mark.parametrize(("word", "sets"), [("ROLLUP", 3), ("CUBE", 4)])
def test_subtotals_stand_beside_the_groups(org: LocalOrg, word: str, sets: int) -> None:
    text = (
        "SELECT LeadSource, Rating, GROUPING(LeadSource) one, GROUPING(Rating) two, COUNT(Id) n"
        f" FROM Lead GROUP BY {word}(LeadSource, Rating) ORDER BY COUNT(Id) DESC"
    )
    rows = bare(found(org, text))
    total = query(org, "SELECT COUNT() FROM Lead").total
    grand = {"LeadSource": None, "Rating": None, "one": 1, "two": 1, "n": total}
    assert rows[0]["n"] == total
    assert grand in rows
    by_set: dict[tuple[int, int], int] = {}
    for row in rows:
        by_set[row["one"], row["two"]] = by_set.get((row["one"], row["two"]), 0) + row["n"]
    assert by_set == dict.fromkeys(by_set, total)
    assert len(by_set) == sets


def test_a_relationship_has_a_name_of_its_own_in_from(org: LocalOrg) -> None:
    text = "SELECT c.LastName, a.Name, o.Id FROM Contact c, c.Account a, a.Owner o WHERE a.Name"
    plain = "SELECT LastName, Account.Name, Account.Owner.Id FROM Contact WHERE Account.Name"
    assert bare(found(org, f"{text} LIKE 'U%'")) == bare(found(org, f"{plain} LIKE 'U%'"))


def test_values_are_formatted_for_their_kind(org: LocalOrg) -> None:
    text = "SELECT FORMAT(Amount), FORMAT(CloseDate) d, CreatedDate, FORMAT(CreatedDate) c"
    record = found(org, f"{text} FROM Opportunity WHERE Amount = 15000 LIMIT 1")[0]
    moment = datetime.fromisoformat(record["CreatedDate"])
    assert record["Amount"] == "$15,000.00"
    assert record["c"].startswith(f"{moment.month}/{moment.day}/{moment.year}, ")
    assert found(org, "SELECT FORMAT(MAX(Amount)) m FROM Opportunity")[0]["m"].startswith("$")


def test_a_count_keeps_to_its_limit(org: LocalOrg) -> None:
    assert query(org, "SELECT COUNT() FROM Lead LIMIT 3").total == 3
    assert query(org, "SELECT COUNT() FROM Lead LIMIT 3 OFFSET 2000").total == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Id FROM Lead WHERE Title = '" + "x" * 100_000 + "'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Title = '" + "x" * 4_001 + "'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT Id FROM Lead WHERE " + "NOT " * 400 + "Title = 'x'", "MALFORMED_QUERY"),
    ],
)
def test_bounds_are_kept(org: LocalOrg, text: str, code: str) -> None:
    with pytest.raises(SoqlError) as refused:
        query(org, text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("literal", "first", "last"),
    [
        ("TODAY", "2026-11-24", "2026-11-24"),
        ("YESTERDAY", "2026-11-23", "2026-11-23"),
        ("LAST_WEEK", "2026-11-15", "2026-11-21"),
        ("THIS_WEEK", "2026-11-22", "2026-11-28"),
        ("NEXT_MONTH", "2026-12-01", "2026-12-31"),
        ("LAST_90_DAYS", "2026-08-26", "2026-11-24"),
        ("LAST_N_DAYS:1", "2026-11-23", "2026-11-24"),
        ("NEXT_N_DAYS:2", "2026-11-25", "2026-11-26"),
        ("N_DAYS_AGO:30", "2026-10-25", "2026-10-25"),
        ("LAST_N_WEEKS:2", "2026-11-08", "2026-11-21"),
        ("N_MONTHS_AGO:11", "2025-12-01", "2025-12-31"),
        ("LAST_N_MONTHS:2", "2026-09-01", "2026-10-31"),
        ("THIS_QUARTER", "2026-10-01", "2026-12-31"),
        ("LAST_FISCAL_QUARTER", "2026-07-01", "2026-09-30"),
        ("NEXT_N_FISCAL_YEARS:2", "2027-01-01", "2028-12-31"),
        ("N_YEARS_AGO:3", "2023-01-01", "2023-12-31"),
    ],
)
def test_a_date_literal_is_a_range_of_days(literal: str, first: str, last: str) -> None:
    days = range_of(literal, date(2026, 11, 24))
    assert days is not None
    assert [days[0].isoformat(), (days[1] - timedelta(1)).isoformat()] == [first, last]


@pytest.mark.parametrize("word", ["SOMEDAY", "LAST_N_DAYS", "N_DAYS:3", "LAST_N_DAYS_AGO:3"])
def test_another_word_is_no_date_literal(word: str) -> None:
    assert range_of(word, date(2026, 11, 24)) is None


@pytest.fixture(scope="module")
def many() -> Iterator[LocalOrg]:
    found = open_org(Side.SALESFORCE, Path(":memory:"))
    for start in range(0, 450, 150):
        writes = [
            Write(None, {"LastName": f"N{n}", "Company": "C"}) for n in range(start, start + 150)
        ]
        found.write("Lead", writes)
    yield found
    found.close()


def test_pages_hold_together_what_was_found_when_it_was_asked(many: LocalOrg) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    locators = Locators(lambda: now)
    answer = query(many, "SELECT Id, LastName FROM Lead ORDER BY Id")
    page = locators.first(answer, "/services/data/v60.0/query", batch_size("batchSize=200"))
    assert (page["totalSize"], page["done"], len(page["records"])) == (450, False, 200)
    many.create("Lead", {"LastName": "Later", "Company": "C"})
    seen = page["records"]
    while not page["done"]:
        folder, _, locator = page["nextRecordsUrl"].rpartition("/")
        assert locator.startswith("01g")
        page = locators.more(locator, folder, 200)
        seen = seen + page["records"]
    assert [record["LastName"] for record in seen] == [f"N{n}" for n in range(450)]
    now += timedelta(days=2)
    with pytest.raises(SoqlError, match="invalid query locator"):
        locators.more(locator, folder, 200)


def test_a_cursor_goes_through_all_once(many: LocalOrg) -> None:
    seen: list[str] = []
    behind = "SystemModstamp > 2000-01-01T00:00:00Z"
    while True:
        text = (
            f"SELECT Id, SystemModstamp FROM Lead WHERE {behind} AND IsConverted = false"
            " ORDER BY SystemModstamp, Id LIMIT 100"
        )
        page = found(many, text)
        if not page:
            break
        seen += [record["Id"] for record in page]
        stamp = page[-1]["SystemModstamp"]
        behind = f"(SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{seen[-1]}'))"
    assert len(seen) == len(set(seen)) == query(many, "SELECT COUNT() FROM Lead").total
