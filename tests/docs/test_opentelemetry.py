"""The recipe for OpenTelemetry runs as it stands, with the real SDK; and the page names what is."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from poolse import Hooks, NotFoundError, RealtimeInfo, RequestInfo, ResponseInfo, RetryInfo
from poolse.testing import Sandbox
from tests.architecture.tree import ROOT
from tests.client.observed_clients import CLIENTS, carried_out, done
from tests.client.test_logging import DOCUMENTED
from tests.docs.code_blocks import blocks_of

PAGE = "docs/observability.md"


@pytest.fixture
def recipe(tmp_path: Path) -> dict[str, Any]:
    (block,) = [block for block in blocks_of(PAGE) if block.name == "telemetry.py"]
    path = tmp_path / block.name
    path.write_text(block.code, "utf-8")
    return runpy.run_path(str(path))


@CLIENTS
def test_calls_are_spans_below_that_of_the_program(
    client: type[Any], sandbox: Sandbox, recipe: dict[str, Any]
) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    sandbox.faults.fail(503)

    async def scenario(chat: Any) -> None:
        with tracer.start_as_current_span("program"):
            await done(chat.me.show())
        with pytest.raises(NotFoundError):
            await done(chat.conversations.one("nothing").show())

    carried_out(client, sandbox, scenario, hooks=recipe["Spans"](tracer).hooks)
    worked, program, failed = exporter.get_finished_spans()
    assert (worked.name, worked.kind) == ("GET /v1/me", SpanKind.CLIENT)
    assert worked.parent is not None
    assert program.context is not None
    assert worked.parent.span_id == program.context.span_id
    assert attributes(worked) == {
        "http.request.method": "GET",
        "http.request.resend_count": 1,
        "http.response.status_code": 200,
        "url.template": "/v1/me",
    }
    (retry,) = worked.events
    assert dict(retry.attributes or {}) == {"attempt": 1, "error.type": "503", "wait": 0.0}
    assert failed.name == "GET /v1/conversations/{conversation_id}"
    assert failed.status.status_code is StatusCode.ERROR
    assert attributes(failed)["error.type"] == "NotFoundError"
    provider.shutdown()


def attributes(span: ReadableSpan) -> dict[str, Any]:
    """But for the id, which is another one each time."""
    found = dict(span.attributes or {})
    assert found.pop("poolse.request_id")
    return found


@CLIENTS
def test_numbers_are_gauges(client: type[Any], sandbox: Sandbox, recipe: dict[str, Any]) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)

    async def scenario(chat: Any) -> None:
        recipe["gauges"](provider.get_meter("test"), chat)
        await done(chat.realtime.connect())
        found = reader.get_metrics_data()
        assert found is not None
        metrics = found.resource_metrics[0].scope_metrics[0].metrics
        assert {metric.name for metric in metrics} == {
            "poolse.calls.active",
            "poolse.realtime.dropped",
        }

    carried_out(client, sandbox, scenario)
    provider.shutdown()


def test_the_page_names_every_field_and_every_hook() -> None:
    text = (ROOT / PAGE).read_text("utf-8")
    assert set(re.findall(r"`(poolse_\w+)`", text)) == DOCUMENTED
    for kind in (RequestInfo, RetryInfo, ResponseInfo, RealtimeInfo):
        fields = ", ".join(f"`{field.name}`" for field in attrs.fields(kind))
        assert f"`{kind.__name__}`: {fields} |" in text
    for hook in attrs.fields(Hooks):
        assert f"| `{hook.name}` |" in text
