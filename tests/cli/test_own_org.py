"""Connecting an own org as a new user would, against the sandbox servers; no secret shows."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from engine.cli.sandbox import environment as secrets_of_servers
from tests.cli.program import PROGRAM, Answer, crosswalk, environment, program

CANARY = "canary-3f9c"


@dataclass
class Shell:
    """A user's shell in a project's folder, with what they have exported."""

    folder: Path
    exported: dict[str, str] = field(default_factory=dict)

    def type(self, *words: str, stdin: str = "") -> Answer:
        answer = crosswalk(self.folder, *words, stdin=stdin, exported=self.environment())
        assert CANARY not in answer.out + answer.err
        return answer

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*PROGRAM, *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
        )

    def environment(self) -> dict[str, str]:
        return environment() | {"XDG_CONFIG_HOME": str(self.folder / "config")} | self.exported


@dataclass
class Servers:
    """`crosswalk sandbox` at work over a project's orgs; what it told."""

    shell: Shell
    told: dict[str, dict[str, str]]
    process: subprocess.Popen[str]

    @property
    def salesforce(self) -> str:
        return self.told["salesforce"]["url"]

    @property
    def outreach(self) -> str:
        return self.told["outreach"]["url"]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("orgs")
    shell = Shell(folder)
    assert shell.type("init", "--sample").code == 0
    ports = ("--salesforce-port", "0", "--outreach-port", "0")
    process = shell.start("sandbox", *ports, "--format", "json")
    assert process.stdout is not None
    yield Servers(shell, json.loads(process.stdout.readline()), process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err


def own_project(folder: Path, servers: Servers, **salesforce: str) -> Shell:
    """A project connected as the README says, with these keys in [salesforce] instead."""
    shell = Shell(folder, secrets_of_servers())
    assert shell.type("init").code == 0
    path = folder / "crosswalk.toml"
    project = path.read_text().partition("[salesforce]")[0]
    keys = {
        "store": "salesforce",
        "instance_url": servers.salesforce,
        "login_url": servers.salesforce,
        "auth": "client_credentials",
        "client_id": servers.told["salesforce"]["client_id"],
        "client_secret": "env:SF_CLIENT_SECRET",
    } | salesforce
    lines = [f'{key} = "{value}"' for key, value in keys.items() if value]
    path.write_text(
        f"{project}[salesforce]\n" + "\n".join(lines) + "\n\n[outreach]\n"
        'store = "outreach"\n'
        f'base_url = "{servers.outreach}"\n'
        f'client_id = "{servers.told["outreach"]["client_id"]}"\n'
        'client_secret = "env:OUTREACH_CLIENT_SECRET"\n'
        'refresh_token = "env:OUTREACH_REFRESH_TOKEN"\n'
    )
    return shell


def test_a_project_is_checked_planned_and_run_against_the_servers(
    servers: Servers, tmp_path: Path
) -> None:
    shell = own_project(tmp_path, servers)
    checked = shell.type("check", "--format", "json")
    assert [each for each in checked.json["checks"] if not each["right"]] == []
    assert checked.code == 0
    planned = shell.type("plan", "--format", "json").json
    ran = shell.type("run", "--format", "json").json
    assert planned["counts"] == ran["counts"]
    assert ran["counts"]["created"] > 100
    for side in ("salesforce", "outreach"):
        assert abs(planned["calls"][side] - ran["calls"][side]) <= 0.05 * ran["calls"][side]
    again = shell.type("run", "--format", "json").json["counts"]
    assert not any(count for name, count in again.items() if name != "skipped")
    secrets = [value for name, value in secrets_of_servers().items() if name in shell.exported]
    kept = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert not [secret for secret in secrets if secret.encode() in kept]


@pytest.mark.parametrize(
    ("variable", "told"),
    [("SF_CLIENT_SECRET", "client_secret"), ("OUTREACH_CLIENT_SECRET", "client_secret")],
)
def test_a_wrong_secret_is_told_and_never_shown(
    servers: Servers, tmp_path: Path, variable: str, told: str
) -> None:
    shell = own_project(tmp_path, servers)
    shell.exported[variable] = CANARY
    checked = shell.type("check")
    assert checked.code == 1
    assert told in checked.out
    assert shell.type("run").code == 2
    assert CANARY.encode() not in (tmp_path / "crosswalk.db").read_bytes()


def test_a_secret_that_is_not_there_names_its_variable(servers: Servers, tmp_path: Path) -> None:
    shell = own_project(tmp_path, servers)
    del shell.exported["SF_CLIENT_SECRET"]
    answer = shell.type("plan")
    assert (answer.code, answer.out) == (2, "")
    assert "`client_secret` refers to the environment variable SF_CLIENT_SECRET" in answer.err
    assert "export SF_CLIENT_SECRET=" in answer.err


def test_a_secret_in_plain_text_is_refused_without_being_shown(
    servers: Servers, tmp_path: Path
) -> None:
    shell = own_project(tmp_path, servers, client_secret=CANARY)
    answer = shell.type("check")
    assert answer.code == 2
    assert "`client_secret` in [salesforce] is a secret written as plain text" in answer.err


def test_a_side_that_does_not_answer_ends_with_3(servers: Servers, tmp_path: Path) -> None:
    shell = own_project(tmp_path, servers, instance_url="http://127.0.0.1:9", login_url="")
    assert shell.type("run").code == 3
    checked = shell.type("check")
    assert checked.code == 3
    assert "Outreach" in checked.out  # the other side is looked at all the same


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("instance_url", "http://acme.example", "https://"),
        ("instance_url", "acme", "write an address such as"),
        ("auth", "magic", "`magic`, which is no way to authorise"),
        ("client_id", "", "`client_id` is missing in [salesforce]"),
    ],
)
def test_a_wrong_section_says_what_to_write(
    servers: Servers, tmp_path: Path, key: str, value: str, told: str
) -> None:
    answer = own_project(tmp_path, servers, **{key: value}).type("check")
    assert answer.code == 2
    assert told in answer.err


def consent(address: str) -> str:
    """Say yes at the vendor's page, in a browser without scripts; where that sends one back to."""
    page = requests.get(address, timeout=20)
    assert page.status_code == 200, page.text
    fields = re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text)
    form = {name: value.replace("&amp;", "&") for name, value in fields}
    found = re.search(r'<form[^>]*action="([^"]*)"', page.text)
    action = found.group(1).replace("&amp;", "&") if found else ""
    target = requests.compat.urljoin(page.url, action or page.url)
    back = requests.post(target, data=form, allow_redirects=False, timeout=20)
    assert back.status_code in (302, 303), back.text
    return str(back.headers["Location"])


def printed_address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if line.strip().startswith("http"):
            return line.strip()
    raise AssertionError("no address was printed")


def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_salesforce_is_authorised_in_the_browser_and_the_token_is_kept_sealed(
    servers: Servers, tmp_path: Path
) -> None:
    back = f"http://127.0.0.1:{free_port()}/callback"
    shell = own_project(tmp_path, servers, auth="web", redirect_uri=back)
    before = shell.type("check")
    assert before.code == 1
    assert "crosswalk connect salesforce" in before.out
    process = shell.start("connect", "salesforce", "--no-browser")
    requests.get(consent(printed_address(process)), timeout=20)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "authorised" in out
    assert shell.type("check").code == 0


def test_outreach_is_authorised_by_a_pasted_address_with_the_scopes_that_the_rules_need(
    servers: Servers, tmp_path: Path
) -> None:
    shell = own_project(tmp_path, servers)
    path = tmp_path / "crosswalk.toml"
    text = path.read_text().replace('refresh_token = "env:OUTREACH_REFRESH_TOKEN"\n', "")
    path.write_text(text + 'redirect_uri = "https://acme.example/crosswalk"\n')
    process = subprocess.Popen(
        [program(), "connect", "outreach", "--no-browser"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=shell.environment(),
    )
    address = printed_address(process)
    assert "prospects.write" in address
    assert ".delete" not in address
    answer = consent(address)
    assert answer.startswith("https://acme.example/crosswalk?")
    out, err = process.communicate(answer + "\n", timeout=30)
    assert process.returncode == 0, err
    assert "authorised" in out
    assert shell.type("check").code == 0


def test_an_older_answer_is_refused(servers: Servers, tmp_path: Path) -> None:
    shell = own_project(tmp_path, servers, auth="web")
    answer = shell.type(
        "connect",
        "salesforce",
        "--no-browser",
        "--paste",
        stdin=f"http://127.0.0.1:8400/callback?code={CANARY}&state=old\n",
    )
    assert answer.code == 2
    assert "start anew" in answer.err


def test_a_port_that_is_taken_is_told(servers: Servers) -> None:
    taken = servers.salesforce.rpartition(":")[2]
    answer = servers.shell.type("sandbox", "--salesforce-port", taken)
    assert answer.code == 2
    assert f"port {taken} cannot be taken" in answer.err


def test_faults_that_are_none_are_told(servers: Servers) -> None:
    answer = servers.shell.type("sandbox", "--faults", "rain=0.5")
    assert answer.code == 2
    assert "`rain` is no fault" in answer.err
