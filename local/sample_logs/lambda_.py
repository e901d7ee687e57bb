"""Samples of Lambda logs: events of log groups, and lines as Firehose extracts them."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from local.sample_logs import REGION, SampleEvents, SampleObject, gzipped
from local.sample_logs.clients import Followed, hexadecimal

_START = datetime(2026, 11, 20, 8, 10, tzinfo=UTC)
_CUSTOMERS = ("c-17", "c-204", "c-3391", "c-88")
_TEXTS = (
    "order {n} stored",
    "payment of order {n} was refused",
    'customer says: "where is order {n}?"',
    "retrying order {n}",
)
_ORDINARY = ("start", "python", "node", "structured", "powertools", "end", "report", "json_report")


def generate(records: int, rng: random.Random, seconds: int = 300) -> bytes:
    """Write messages, one a line, as message extraction leaves them."""
    kinds = (_ORDINARY[number % len(_ORDINARY)] for number in range(records))
    return "".join(f"{MESSAGES[kind](_Moment(rng, seconds))}\n" for kind in kinds).encode()


def objects(rng: random.Random) -> Iterator[SampleObject]:
    """Give messages without their envelopes, as Firehose's message extraction leaves them."""
    for name, kinds in (
        ("text", ("start", "python", "node", "end", "report")),
        ("json", ("json_start", "structured", "powertools", "json_report")),
    ):
        lines = [MESSAGES[kind](_Moment(rng, 300)) for kind in kinds * 40]
        key = f"firehose/lambda/2026/11/20/08/lambda-{name}-1-2026-11-20-08-15-00"
        data = gzipped("".join(f"{line}\n" for line in lines).encode())
        yield SampleObject("lambda", f"{key}-{hexadecimal(rng, 12)}", data, len(lines))


def log_events(rng: random.Random) -> Iterator[SampleEvents]:
    """Give the events of functions of several runtimes, and one at CloudFront's edges."""
    for group, function, kinds in (
        ("/aws/lambda/orders", "", ("start", "python", "python", "error", "end", "report")),
        ("/aws/lambda/web", "", ("start", "node", "node_object", "end", "report", "timeout")),
        ("/aws/lambda/billing", "", ("json_start", "structured", "powertools", "json_report")),
        ("/aws/lambda/us-east-1.rewrite", "", ("start", "node", "end", "report")),
        ("/shop/functions", "stock", ("init", "start", "java", "net", "ruby", "end", "report")),
    ):
        stream = f"2026/11/20/{function}[$LATEST]{hexadecimal(rng, 32)}"
        moments = sorted((_Moment(rng, 300) for _ in range(10 * len(kinds))), key=lambda m: m.at)
        events = tuple(
            (moment.milliseconds, MESSAGES[kinds[number % len(kinds)]](moment))
            for number, moment in enumerate(moments)
        )
        yield SampleEvents("lambda", group, stream, events)
    followed = _Moment(rng, 300)
    followed.at, followed.trace = Followed.at + timedelta(milliseconds=40), Followed.trace
    said = [MESSAGES[kind](followed) for kind in ("json_start", "powertools", "json_report")]
    stream = f"2026/11/20/[$LATEST]{hexadecimal(rng, 32)}"
    events = tuple((followed.milliseconds, message) for message in said)
    yield SampleEvents("lambda", "/aws/lambda/billing", stream, events)


class _Moment:
    """When something is logged, and the values that it logs."""

    def __init__(self, rng: random.Random, seconds: int) -> None:
        self.rng = rng
        self.at = _START + timedelta(milliseconds=rng.randrange(seconds * 1000))
        digits = hexadecimal(rng, 32)
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        self.request = "-".join(parts)
        self.trace = f"1-{digits[:8]}-{digits[8:]}"
        self.text = rng.choice(_TEXTS).format(n=rng.randrange(100_000))
        self.duration = round(rng.expovariate(0.02) + 1, 2)

    @property
    def milliseconds(self) -> int:
        return int(self.at.timestamp() * 1000)

    @property
    def iso(self) -> str:
        return f"{self.at:%Y-%m-%dT%H:%M:%S}.{self.at.microsecond // 1000:03}Z"


def _python(moment: _Moment) -> str:
    # The runtime does not fill up the milliseconds.
    time = f"{moment.at:%Y-%m-%dT%H:%M:%S}.{moment.at.microsecond // 1000}Z"
    return f"[{_level(moment)}]\t{time}\t{moment.request}\t{moment.text}"


def _level(moment: _Moment) -> str:
    return moment.rng.choice(("INFO", "INFO", "WARNING", "ERROR"))


def _report(moment: _Moment) -> str:
    cold = moment.rng.random() < 0.1
    init = f"\tInit Duration: {moment.rng.uniform(200, 900):.2f} ms" if cold else ""
    return (
        f"REPORT RequestId: {moment.request}\tDuration: {moment.duration:.2f} ms"
        f"\tBilled Duration: {int(moment.duration) + 1} ms\tMemory Size: 256 MB"
        f"\tMax Memory Used: {moment.rng.randrange(80, 250)} MB{init}\t"
    )


def _json(members: dict[str, Any]) -> str:
    return json.dumps(members, separators=(",", ":"))


def _structured(moment: _Moment) -> str:
    """Give what the runtimes write in JSON format."""
    return _json(
        {
            "timestamp": moment.iso,
            "level": _level(moment),
            "message": moment.text,
            "logger": "root",
            "requestId": moment.request,
            "order": {"customer": moment.rng.choice(_CUSTOMERS), "items": [1, 2, 3]},
        }
    )


def _powertools(moment: _Moment) -> str:
    time = f"{moment.at:%Y-%m-%d %H:%M:%S},{moment.at.microsecond // 1000:03}+0000"
    return _json(
        {
            "level": _level(moment),
            "location": "handler:42",
            "message": {"order": moment.rng.randrange(100_000)},
            "timestamp": time,
            "service": "billing",
            "cold_start": False,
            "function_name": "billing",
            "function_memory_size": "256",
            "function_request_id": moment.request,
            "xray_trace_id": moment.trace,
        }
    )


def _platform(moment: _Moment, kind: str, record: dict[str, Any]) -> str:
    return _json({"time": moment.iso, "type": f"platform.{kind}", "record": record})


def _json_report(moment: _Moment) -> str:
    metrics = {
        "durationMs": moment.duration,
        "billedDurationMs": int(moment.duration) + 1,
        "memorySizeMB": 256,
        "maxMemoryUsedMB": moment.rng.randrange(80, 250),
    }
    return _platform(
        moment,
        "report",
        {"requestId": moment.request, "metrics": metrics, "status": "success"},
    )


def _error(moment: _Moment) -> str:
    return (
        "[ERROR] KeyError: 'order'\nTraceback (most recent call last):\n"
        '\u00a0\u00a0File "/var/task/orders.py", line 12, in handler\n'
        f"\u00a0\u00a0\u00a0\u00a0raise KeyError('{moment.rng.choice(_CUSTOMERS)}')"
    )


MESSAGES: dict[str, Callable[[_Moment], str]] = {
    "init": lambda moment: (
        "INIT_START Runtime Version: java:21.v38\tRuntime Version ARN: "
        f"arn:aws:lambda:{REGION}::runtime:{hexadecimal(moment.rng, 64)}"
    ),
    "start": lambda moment: f"START RequestId: {moment.request} Version: $LATEST",
    "end": lambda moment: f"END RequestId: {moment.request}",
    "report": _report,
    "timeout": lambda moment: f"{moment.iso} {moment.request} Task timed out after 3.00 seconds",
    "python": _python,
    "error": _error,
    "node": lambda moment: f"{moment.iso}\t{moment.request}\tINFO\t{moment.text}",
    "node_object": lambda moment: (
        f"{moment.iso}\t{moment.request}\tINFO\t{_json({'level': 'warn', 'message': moment.text})}"
    ),
    "java": lambda moment: (
        f"{moment.at:%Y-%m-%d %H:%M:%S} {moment.request} INFO  Handler:50 - {moment.text}"
    ),
    "net": lambda moment: f"{moment.iso}\t{moment.request}\twarn\t{moment.text}",
    "ruby": lambda moment: (
        f"I, [{moment.at:%Y-%m-%dT%H:%M:%S.%f} #8]  INFO {moment.request} -- : {moment.text}"
    ),
    "structured": _structured,
    "powertools": _powertools,
    "json_start": lambda moment: _platform(
        moment, "start", {"requestId": moment.request, "version": "$LATEST"}
    ),
    "json_report": _json_report,
}
"""What writes each kind of message."""
