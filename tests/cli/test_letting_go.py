"""`review`, `retry` and `resume` from outside."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import crosswalk

ALLOWED = "    # lint: allow CW206 to see the vendor refuse it\n"


def test_a_refusal_is_listed_in_the_vendors_words_and_retried(tmp_path: Path) -> None:
    project = tmp_path / "acme"
    crosswalk(tmp_path, "init", "acme")
    assert "nothing has run yet" in crosswalk(project, "review").out
    rules = project / "rules" / "leads.sync"
    text = rules.read_text().replace("LastName            <-> lastName        prevent empty", "")
    rules.write_text(text.replace("pushing", f"pushing\n{ALLOWED}    outbound create"))
    crosswalk(project, "local", "create", "outreach", "prospect", "emails=a@x.co", "firstName=A")
    assert crosswalk(project, "run").code == 1
    (held,) = crosswalk(project, "review", "--format", "json").json["held"]
    assert (held["record"]["type"], held["why"]) == ("prospect", "refused")
    assert "REQUIRED_FIELD_MISSING" in held["message"]
    assert "REQUIRED_FIELD_MISSING" in crosswalk(project, "review").out
    assert crosswalk(project, "review", "--format", "csv").out.startswith("sync,side,type,id,why")
    retry = crosswalk(project, "retry", "--format", "json")
    assert (retry.code, retry.json["counts"]["failed"]) == (1, 1)
    assert crosswalk(project, "resume").code == 0
    assert crosswalk(project, "resume", "--type", "Lead", "--id", "00Q000000000001").code == 1
    of_retry = crosswalk(project, "resume", "--type", "prospect", "--id", str(held["record"]["id"]))
    assert "its write was refused: `crosswalk retry --type prospect --id" in of_retry.err
