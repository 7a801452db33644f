"""Traces by OpenTelemetry, which is imported only where somebody asks for them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib import metadata
from typing import Any

from engine.secrets import Secrets
from engine.tracing import Note, Value

__all__ = ["NotInstalled", "OpenTelemetry", "telemetry"]

_ENV = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PATIENCE = 3.0  # seconds in which the last spans are sent at the end


class NotInstalled(Exception):
    """Traces are wanted, and their library is not there; says what to install."""


def telemetry(settings: Mapping[str, str], secrets: Secrets) -> OpenTelemetry | None:
    """The tracer that [telemetry] or `OTEL_EXPORTER_OTLP_ENDPOINT` asks for, if one does.

    Raises `NotInstalled`, and `engine.secrets.SecretError`.
    """
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    wanted = "endpoint" in settings or any(os.environ.get(name) for name in _ENV)
    return OpenTelemetry(settings, secrets) if wanted and not off else None


class OpenTelemetry:
    """Sends spans by OTLP over HTTP, in batches, from a thread of its own."""

    def __init__(self, settings: Mapping[str, str], secrets: Secrets) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
                OTLPSpanExporter,
            )
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        except ImportError as error:
            raise NotInstalled(
                "traces are asked for by [telemetry] or OTEL_EXPORTER_OTLP_ENDPOINT, and their"
                f" library is not installed ({error.name}): pip install 'crosswalk[otel]'"
            ) from None
        options: dict[str, Any] = {}
        if "endpoint" in settings:
            options["endpoint"] = settings["endpoint"].rstrip("/") + "/v1/traces"
        if "authorization" in settings:
            secret = secrets.get("authorization", settings["authorization"])
            options["headers"] = {"authorization": secret.reveal()}
        resource = Resource.create(
            {
                "service.name": os.environ.get("OTEL_SERVICE_NAME", "crosswalk"),
                "service.version": metadata.version("crosswalk"),
            }
        )
        self._provider: Any = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**options)))
        self._tracer = self._provider.get_tracer("crosswalk")

    def span(self, name: str, values: Mapping[str, Value]) -> AbstractContextManager[Note]:
        """A span within the one that this thread is in."""
        return self._span(name, values)

    @contextmanager
    def _span(self, name: str, values: Mapping[str, Value]) -> Iterator[Note]:
        from opentelemetry.trace import StatusCode  # noqa: PLC0415

        attributes = {key if "." in key else f"crosswalk.{key}": v for key, v in values.items()}
        with self._tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield lambda key, value: span.set_attribute(
                    key if "." in key else f"crosswalk.{key}", value
                )
            except Exception as error:
                # Its words may hold a record's data.
                span.set_status(StatusCode.ERROR, type(error).__name__)
                span.set_attribute("error.type", type(error).__name__)
                raise

    def close(self) -> None:
        """Send what is left, and end; a collector that does not answer is not waited for long."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(_PATIENCE)
