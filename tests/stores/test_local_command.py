"""`crosswalk local`, from outside."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.stores.local import SAMPLE
from tests.cli.program import Answer, crosswalk

BERTHA = "00Q3z00001AmqLYEAZ"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("local") / "acme"
    assert crosswalk(folder.parent, "init", "acme").code == 0
    loaded = crosswalk(
        folder, "local", "load", "salesforce", str(SAMPLE / "salesforce"), "--format", "json"
    )
    assert loaded.json["version"] == 1
    assert loaded.json["loaded"]["Lead"] == 22
    assert "22 Lead" in loaded.err
    return folder


def test_acts_print_the_record(project: Path) -> None:
    made = crosswalk(project, "local", "create", "outreach", "stage", "name=Working").out
    assert made == "1\n"
    words = ("firstName=Rose", "emails=rose@edge.com", "stage=Working", "--format", "json")
    prospect = crosswalk(project, "local", "create", "outreach", "prospect", *words).json
    assert prospect["attributes"]["emails"] == ["rose@edge.com"]
    assert prospect["relationships"]["stage"]["data"]["id"] == 1
    edited = crosswalk(project, "local", "edit", "salesforce", "Lead", BERTHA[:15], "Title=")
    assert edited.out == f"{BERTHA}\n"
    lead = ("LastName=A", "Company=B", "DoNotCall=true", "AnnualRevenue=1.5")
    record = crosswalk(project, "local", "create", "salesforce", "Lead", *lead).out.strip()
    assert crosswalk(project, "local", "delete", "salesforce", "Lead", record).out.strip() == record
    dumped = crosswalk(project, "local", "dump", "salesforce", "out")
    assert (dumped.code, dumped.out) == (0, "")
    assert len(json.loads((project / "out" / "Lead.json").read_text(encoding="utf-8"))) == 22


def test_lives_print_the_ids_or_the_record(project: Path) -> None:
    def local(*words: str) -> Answer:
        return crosswalk(project, "local", *words)

    ids = [
        local("create", "salesforce", "Lead", f"LastName={n}", "Company=C").out.strip()
        for n in "abc"
    ]
    assert local("merge", "Lead", ids[0], ids[1][:15]).out.strip() == ids[0]
    assert local("undelete", "salesforce", "Lead", ids[1]).out.strip() == ids[1]
    told = local("convert", ids[0], "--opportunity", "Big deal").out.split()
    assert [t[:3] for t in told] == ["00Q", "003", "001", "006"]
    lead = local("convert", ids[2][:15], "--account", told[2], "--format", "json").json
    assert (lead["Id"], lead["IsConverted"]) == (ids[2], True)
    assert lead["ConvertedAccountId"] == told[2]
    assert lead["ConvertedOpportunityId"] is None


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("edit", "salesforce", "Lead", BERTHA, "LastName="), 1, "REQUIRED_FIELD_MISSING"),
        (("edit", "salesforce", "Lead", BERTHA, "Frstname=A"), 1, "did you mean FirstName?"),
        (("create", "salesforce", "Lead", "DoNotCall=perhaps"), 1, "not true or false"),
        (("create", "outreach", "prospects"), 2, "did you mean prospect?"),
        (("delete", "outreach", "prospect", "99"), 1, "Outreach refused: resourceNotFound"),
        (("edit", "outreach", "prospect", "1", "stage=Nope"), 2, "no stage goes by `Nope`"),
        (("edit", "salesforce", "Lead", BERTHA, "Title"), 2, "not FIELD=VALUE"),
        (("edit", "salesforce", "Lead", BERTHA, "Title=a", "Title=b"), 2, "given twice"),
        (("load", "salesforce", "nowhere"), 2, "there is no folder"),
        (("convert", "00Q000000000000AAA"), 1, "INVALID_CROSS_REFERENCE_KEY"),
        (("merge", "Opportunity", "006000000000000", "006000000000001"), 1, "cannot be merged"),
        (("undelete", "salesforce", "Lead", BERTHA), 1, "not in the recycle bin"),
    ],
)
def test_what_goes_wrong_is_told_in_one_line(
    project: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    answer = crosswalk(project, "local", *words)
    assert answer.code == code
    assert told in answer.err
    assert len(answer.err.splitlines()) == 1
    assert answer.out == ""


def test_a_store_that_is_not_local_is_a_usage_error(project: Path, tmp_path: Path) -> None:
    text = (project / "crosswalk.toml").read_text(encoding="utf-8")
    text = re.sub(r'path *= "salesforce.db"', "", text)
    (tmp_path / "rules").mkdir()
    real = (
        '"salesforce"\ninstance_url = "https://acme.my.salesforce.com"\nauth = "token"'
        '\ntoken = "env:TOKEN"'
    )
    (tmp_path / "crosswalk.toml").write_text(text.replace('"local"', real, 1))
    answer = crosswalk(tmp_path, "local", "create", "salesforce", "Account", "Name=A")
    assert answer.code == 2
    assert "acts on local orgs only" in answer.err


def test_help_has_an_example(project: Path) -> None:
    for act in ("load", "dump", "create", "edit", "delete", "undelete", "convert", "merge"):
        answer = crosswalk(project, "local", act, "--help")
        assert f"crosswalk local {act}" in answer.out.split("example", 1)[1]
