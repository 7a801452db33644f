"""Traces, as a collector of OpenTelemetry gets them, and the lines of the log beside them."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from engine.config import ConfigError, read_config
from engine.model import Side
from engine.secrets import Secrets
from engine.service import Service
from engine.service.logs import log_to_stderr
from engine.service.telemetry import NotInstalled, telemetry
from engine.tracing import span, template, trace_with
from tests.service.place import LEADS
from tests.service.wired import wired

ID = re.compile(r"00Q\w{12,15}|ng@acme|/\d+")


@contextmanager
def collector() -> Iterator[tuple[str, list[Any]]]:
    """An address that takes OTLP over HTTP, and what it was sent: headers and spans."""
    trace_service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    got: list[Any] = []

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                import gzip

                body = gzip.decompress(body)
            told = trace_service.ExportTraceServiceRequest.FromString(body)
            spans = [s for r in told.resource_spans for of in r.scope_spans for s in of.spans]
            got.append((self.path, self.headers.get("authorization"), spans))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def values(of: Any) -> dict[str, Any]:
    return {a.key: a.value.string_value or a.value.int_value for a in of.attributes}


def test_a_cycle_and_its_vendor_calls_are_one_trace_without_data_of_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTLP_KEY", "Basic a-secret-of-the-collector")
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with collector() as (url, got), wired(tmp_path / "acme", LEADS, monkeypatch) as at:
        log_to_stderr("json")
        settings = {"endpoint": url, "authorization": "env:OTLP_KEY"}
        tracer = telemetry(settings, Secrets(tmp_path))
        assert tracer is not None
        lead = at.write(
            Side.SALESFORCE, "Lead", None, LastName="Ng", Company="A", Email="ng@acme.co"
        )
        service = at.serve(Service(at.project, at.project.program()))
        with trace_with(tracer):
            service.start()
            service.run_now().result(60)
            assert service.stop()
        tracer.close()  # which sends what is left
        ended = [json.loads(line) for line in stream.getvalue().splitlines()]
    spans = [each for *_, spans in got for each in spans]
    assert {head[:2] for head in got} == {("/v1/traces", "Basic a-secret-of-the-collector")}
    (write,) = [s for s in spans if s.name == "write"]
    mine = [s for s in spans if s.trace_id == write.trace_id]
    (run,) = [values(s)["crosswalk.run"] for s in mine if s.name == "cycle"]
    named = {s.name for s in mine}
    assert {"cycle", "step", "scan", "decide", "write", "POST /api/v2/prospects"} <= named
    calls = [values(s) for s in mine if "url.template" in values(s)]
    assert {call["crosswalk.side"] for call in calls} == {"salesforce", "outreach"}
    assert {call["http.response.status_code"] for call in calls} <= {200, 201}
    told = " ".join(f"{s.name} {values(s)}" for s in spans)
    assert lead not in told
    assert not ID.search(told.replace("/v2", ""))
    assert "secret" not in told
    # The lines of the log name the same run.
    assert all(
        {"time", "level", "event", "message", "run", "pair"} <= line.keys() for line in ended
    )
    (line,) = [line for line in ended if line["event"] == "run" and line["run"] == run]
    assert (line["run"], line["summary"]["run"]) == (run, run)
    assert "a-secret-of-the-collector" not in stream.getvalue()


def test_a_line_within_a_step_names_its_run_and_pair(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    log_to_stderr("json")
    with span("cycle", run="r-1"), span("step", pair="Lead<->prospect"):
        logging.getLogger("crosswalk.serve").warning("x", extra={"event": "trouble"})
    logging.getLogger("crosswalk.serve").warning("y")
    inside, outside = map(json.loads, stream.getvalue().splitlines())
    assert (inside["run"], inside["pair"], inside["event"]) == ("r-1", "Lead<->prospect", "trouble")
    assert (outside["run"], outside["pair"]) == (None, None)


def test_paths_are_told_without_ids() -> None:
    paths = {
        "sobjects/Lead/00Q3z00001AmqLYEAZ": "sobjects/Lead/{id}",
        "sobjects/My_Thing2__c/describe": "sobjects/My_Thing2__c/describe",
        "query?q=SELECT Id FROM Lead WHERE Email = 'a@b.co'": "query",
        "/api/v2/prospects/17": "/api/v2/prospects/{id}",
        "/services/data/v61.0/jobs/query/7503z00001/results": (
            "/services/data/v61.0/jobs/query/{id}/results"
        ),
    }
    assert {path: template(path) for path in paths} == paths


def test_nothing_is_imported_where_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert telemetry({}, Secrets(Path())) is None
    code = "import sys, engine.service.telemetry; print([m for m in sys.modules if 'opentel' in m])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_a_library_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(NotInstalled, match=r"pip install 'crosswalk\[otel\]'"):
        telemetry({}, Secrets(Path()))


def test_its_section_is_checked(tmp_path: Path) -> None:
    orgs = "\n".join(f'[{s}]\nstore = "local"\npath = "{s}.db"' for s in ("salesforce", "outreach"))
    text = f'{orgs}\n[telemetry]\nendpoint = "localhost:4317"\nauthorization = "Basic abc"\n'
    (tmp_path / "crosswalk.toml").write_text(text)
    with pytest.raises(ConfigError) as wrong:
        read_config(tmp_path)
    assert len(wrong.value.problems) == 2
    assert "abc" not in str(wrong.value)
