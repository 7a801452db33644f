"""`crosswalk title`, and what a plan says of activities."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.cli.main import main
from engine.model import Side
from engine.stores.local import load, open_org

Type = Callable[..., tuple[int, str, str]]
AT = "2099-11-23T09:20:00.000Z"


def mailing(record: int, subject: str, at: str = AT) -> dict[str, object]:
    values = {"subject": subject, "mailingType": "single", "deliveredAt": at}
    return {
        "type": "mailing",
        "id": record,
        "attributes": {"createdAt": at, "updatedAt": at, **values},
        "relationships": {"prospect": {"data": {"type": "prospect", "id": 1}}},
    }


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Type:
    """A project with the sample org and two mailings, and what typing in it prints."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    run("init", "--sample")
    run("run")
    org = open_org(Side.OUTREACH, tmp_path / "outreach.db")
    folder = tmp_path / "in"
    folder.mkdir()
    told = [mailing(1, "Newer"), mailing(2, "Older", "2099-11-22T09:20:00.000Z")]
    (folder / "mailing.json").write_text(json.dumps(told), encoding="utf-8")
    load(org, folder)
    org.close()
    return run


def test_titles_of_real_activities_and_what_they_will_cost(typed: Type, tmp_path: Path) -> None:
    assert typed("title", "email sent")[:2] == (0, "[Outreach] [Email] [Out] Newer\n")
    draft = tmp_path / "draft.j2"
    draft.write_text("{{ subject | upper }} to {{ prospect.lastName }}\n", encoding="utf-8")
    code, out, _ = typed("title", "email_sent", "2", "--template", str(draft), "--format", "json")
    assert code == 0
    assert json.loads(out)["title"].startswith("OLDER to ")
    draft.write_text("{% for a in subject %}{{ a }}{% endfor %}", encoding="utf-8")
    code, _, err = typed("title", "email sent", "--template", str(draft))
    assert (code, "a title cannot have a loop" in err) == (1, True)
    code, _, err = typed("title", "email received")
    assert (code, "no mailing yet that is `email received`" in err) == (1, True)
    code, _, err = typed("title", "email snet")
    assert (code, "did you mean `email sent`?" in err) == (2, True)
    lines = typed("plan", "--type", "mailing")[1].splitlines()
    assert lines[-1] == "  email sent: 2, about 1 call"


def test_an_activity_is_explained_from_both_sides(typed: Type) -> None:
    typed("run", "--type", "mailing")
    out = typed("explain", "mailing", "1")[1]
    assert "sync Task <-> mailing (email sent)" in out
    assert "link: linked to Task 00T" in out
    assert "inbound update" not in out
    assert "outbound update" not in out
    task = next(word for word in out.split() if word.startswith("00T"))
    out = typed("explain", "Task", task)[1]
    assert out.startswith(f"Salesforce Task {task}  <->  mailing 1\n")
    assert out.count("\nsync ") == 1
