"""A receiver over HTTP that remembers keys and fails at a known rate, and adapters that fail.

The receiver lives in the test's process and survives the syncs that are killed. It answers 429 or
503 without taking the rows, or takes them and loses the answer. `webhook` posts to it; `Once` does
where nothing may be sent twice. A database does not fail by itself: `Unreliable` fails for it.
"""

from __future__ import annotations

import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from orchestration.destinations.base import (
    Acknowledgement,
    Audience,
    Batch,
    Destination,
    Idempotency,
    Limits,
    Outcome,
    RetryLaterError,
)
from orchestration.destinations.webhook import body_of


@dataclass
class Ledger:
    """Everything the receiver ever took."""

    seed: int
    fault_rate: float = 0.05
    keys: set[str] = field(default_factory=set)
    versions: dict[str, int] = field(default_factory=dict)
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    taken_at: list[tuple[str, str, float]] = field(default_factory=list)
    applied: int = 0
    repeated: int = 0
    same_version_twice: int = 0
    faults: int = 0
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """A fixed seed, so that a failure can be seen again."""
        self.dice = random.Random(self.seed)

    def fault(self) -> str | None:
        """What goes wrong with this request, if anything."""
        roll = self.dice.random()
        for number, name in enumerate(("429", "503", "ack_lost")):
            if roll < (number + 1) * self.fault_rate:
                self.faults += 1
                return name
        return None

    def take(self, rows: list[dict[str, Any]]) -> None:
        """Apply rows once per key and never an older version over a newer one."""
        now = time.monotonic()
        for row in rows:
            if row["key"] in self.keys:
                self.repeated += 1
                continue
            self.keys.add(row["key"])
            self.applied += 1
            customer = row["customer_id"]
            self.taken_at.append((customer, row["operation"], now))
            known = self.versions.get(customer, 0)
            if row["version"] == known:
                self.same_version_twice += 1
            if row["version"] <= known:
                continue
            self.versions[customer] = row["version"]
            if row["operation"] == "removed":
                self.members.pop(customer, None)
            else:
                self.members[customer] = row["payload"]


@dataclass
class ActsAgain(Ledger):
    """What a receiver took that knows neither keys nor versions: whatever comes, it does."""

    def take(self, rows: list[dict[str, Any]]) -> None:
        """Do what the rows say, and count what it did before; a removal twice does no harm."""
        for row in rows:
            is_removal = row["operation"] == "removed"
            self.repeated += row["key"] in self.keys and not is_removal
            self.keys.add(row["key"])
            self.applied += 1
            if is_removal:
                self.members.pop(row["customer_id"], None)
            else:
                self.members[row["customer_id"]] = row["payload"]


@contextmanager
def serve(ledger: Ledger) -> Iterator[str]:
    """Run the receiver; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with ledger.lock:
                ledger.calls += 1
                fault = ledger.fault()
                if fault in (None, "ack_lost"):
                    ledger.take(json.loads(body)["rows"])
            if fault == "ack_lost":
                self.connection.close()
                return
            self.send_response(200 if fault is None else int(fault))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (ConnectionError, ValueError, OSError):
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


class Once:
    """Hands batches to a receiver without keys; a lost answer is an unknown fate."""

    channels = frozenset({"email"})
    idempotency = Idempotency.NONE
    acknowledgement = Acknowledgement.APPLIED

    def __init__(self, url: str, batch_size: int) -> None:
        self.name = "receiver"
        self.url = url
        self.limits = Limits(batch_size)

    def deliver(self, batch: Batch) -> list[Outcome]:
        """One POST per batch."""
        if not batch.rows:
            return []
        request = urllib.request.Request(self.url, body_of(batch), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10):
                return [Outcome(row.key, "delivered") for row in batch.rows]
        except urllib.error.HTTPError as error:
            raise RetryLaterError(f"http_{error.code}") from error
        except OSError:
            return [Outcome(row.key, "unknown", "no_answer") for row in batch.rows]

    def finish(self, audience: Audience) -> None:
        """Nothing to close."""

    def preview(self, segment: str) -> str:
        """Where rows would go."""
        return f"{self.url}{segment}"


class Unreliable:
    """A destination that is away before a batch, or loses its answer after it, at a known rate."""

    def __init__(self, inner: Destination, seed: int, fault_rate: float) -> None:
        self.inner = inner
        self.dice = random.Random(seed)
        self.fault_rate = fault_rate

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """The destination's own, or a failure."""
        roll = self.dice.random()
        if roll < 2 * self.fault_rate:
            raise RetryLaterError("http_429" if roll < self.fault_rate else "http_503")
        outcomes = self.inner.deliver(batch)
        if roll < 3 * self.fault_rate:
            raise RetryLaterError("answer_lost")
        return outcomes
