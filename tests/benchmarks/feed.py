"""How fast the on-site feed answers: `regulars serve` over a real socket, asked at a steady rate.

The file is drawn straight into its form: each person in one or two segments, with two browsers, a
login, and six products to show by each; nine in ten questions are of somebody who is there.
Questions leave at fixed moments whether or not earlier ones were answered, and each is counted from
the moment at which it was due, so that a server that stands still is not spared. One connection
carries one question, as `serve` wants it.

Belongs here: drawing the file, asking, and the bill. Does not belong here: how figures are told.

Run as a module: `python -m tests.benchmarks.feed [--people N] [--rates R ...] [--seconds S]`;
one line of JSON for each rate: milliseconds of half and of 99 in 100 answers, answers by status,
CPU seconds of the server for a thousand questions, and the size of the file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psutil

from ingestion.config import Destination, Settings
from orchestration.destinations.feed_file import Digests, writing
from orchestration.destinations.onsite import feed_path, micros
from orchestration.home.layout import Home
from orchestration.ops.permission.consents import append_facts
from orchestration.ops.store import open_store, to_micros
from orchestration.serve.listening import bind
from orchestration.serve.webhooks.server import serve_webhooks

PEOPLE = 1_000_000
RATES = (200, 500)
SECONDS = 30
WARM_UP_SECONDS = 3
KNOWN = 0.9
SEGMENTS = ("abandoned_cart", "first_time_visitors", "high_intent", "loyal_customers", "vip")
STAGES = ("awareness", "consideration", "acquisition", "purchase", "advocacy")
NAME = "site"
CONTENT = [{"segment": each, "landing_page": each, "slots": {"hero": each}} for each in SEGMENTS]
SHOWN = json.dumps([{"kind": "also_viewed", "product_id": f"p{n:06d}"} for n in range(6)])
OPTIONS = {"content": CONTENT, "requests_per_second": 10_000}
_WAIT_SECONDS = 60
_CHUNK = 20_000


def browser(number: int, which: int) -> str:
    """The anonymous id of a person's browser."""
    return f"{number:012x}-{which}-0123456789abcdef"


def draw(home: Home, people: int, now: datetime) -> None:
    """Write the file and each first browser's yes, as a sync and a banner would have."""
    path = feed_path(home, NAME)
    with writing(path) as feed:
        for segment in SEGMENTS:
            feed.refresh(segment, micros(now))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma synchronous = off")
        entries = _entries(Digests(connection), people, micros(now))
        connection.executemany("insert into entries values (?, ?, ?, ?, ?, ?, ?)", entries)
        connection.commit()
    with open_store(home) as store:
        for start in range(0, people, _CHUNK):
            numbers = range(start, min(start + _CHUNK, people))
            with store.write() as connection:
                append_facts(connection, [_yes(number, now) for number in numbers], [])


def _entries(digests: Digests, people: int, now_us: int) -> Iterator[tuple[object, ...]]:
    draw = random.Random(1)
    for number in range(people):
        name = f"{number:032x}"
        stage = draw.choice(STAGES)
        keys = {
            ("customer_id", name): None,
            ("login", f"login-{number}"): None,
            ("device", browser(number, 1)): "mobile",
            ("device", browser(number, 2)): "desktop",
        }
        for segment in draw.sample(SEGMENTS, draw.randint(1, 2)):
            for key, kind in keys.items():
                yield digests.of(*key), segment, name, stage, kind, now_us, SHOWN


def _yes(number: int, now: datetime) -> dict[str, object]:
    return {
        "consent_event_id": f"yes-{number}",
        "identifier_type": "device",
        "identifier_value": browser(number, 1),
        "channel": "onsite",
        "purpose": "personalisation",
        "status": "granted",
        "occurred_at": to_micros(now),
        "source": "banner",
        "wording_version": "v1",
        "recorded_at": to_micros(now),
        "expires_at": None,
        "proof": None,
        "lawful_basis": "consent",
        "level": None,
    }


def _serve(root: str, port: int) -> None:
    chosen = {NAME: Destination(kind="onsite", options=OPTIONS)}
    serve_webhooks(Home(Path(root)), Settings(destinations=chosen), bind("127.0.0.1", port), print)


async def ask(port: int, device: str) -> tuple[int, bool]:
    """The status of one answer, and whether it tells of a segment."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(
            f"GET /feed/{NAME}?device={device} HTTP/1.1\r\nHost: feed\r\n\r\n".encode("ascii")
        )
        said = await reader.read()
    finally:
        writer.close()
    head, _, body = said.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1]) if head else 0
    return status, status == 200 and bool(json.loads(body)["segments"])


async def ask_steadily(
    port: int, people: int, rate: int, seconds: int
) -> tuple[list[float], Counter[str]]:
    """Milliseconds of each answer from when its question was due, and what the answers were."""
    draw = random.Random(rate)
    taken: list[float] = []
    kinds: Counter[str] = Counter()

    async def one(due: float) -> None:
        is_known = draw.random() < KNOWN
        number = draw.randrange(people) if is_known else people + draw.randrange(people)
        try:
            status, tells = await ask(port, browser(number, draw.choice((1, 2))))
            kinds[f"{status}{' told' if tells else ''}"] += 1
        except OSError:
            kinds["broken off"] += 1
        taken.append((time.perf_counter() - due) * 1000)

    tasks = []
    begin = time.perf_counter()
    for index in range(rate * seconds):
        due = begin + index / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(due)))
    await asyncio.gather(*tasks)
    return taken, kinds


def measure(port: int, process: psutil.Process, people: int, rate: int, seconds: int) -> str:
    """The bill of one rate, as JSON."""
    before = sum(process.cpu_times()[:2])
    taken, kinds = asyncio.run(ask_steadily(port, people, rate, seconds))
    cpu = sum(process.cpu_times()[:2]) - before
    taken.sort()
    bill = {
        "people": people,
        "rate": rate,
        "questions": len(taken),
        "p50_ms": round(taken[len(taken) // 2], 1),
        "p99_ms": round(taken[len(taken) * 99 // 100], 1),
        "most_ms": round(taken[-1], 1),
        "cpu_s_of_1000": round(cpu / len(taken) * 1000, 2),
        "answers": dict(sorted(kinds.items())),
    }
    return json.dumps(bill)


def run(folder: Path, people: int, rates: list[int], seconds: int) -> Iterator[str]:
    """The bill of each rate, asked of a server of its own."""
    home = Home(folder / "home").create()
    draw(home, people, datetime.now(UTC).replace(tzinfo=None))
    size = feed_path(home, NAME).stat().st_size
    with bind("127.0.0.1", 0) as free:
        port = int(free.getsockname()[1])
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=_serve, args=(str(home.root), port), daemon=True)
    server.start()
    try:
        _wait_for(port)
        measure(port, psutil.Process(server.pid), people, rates[0], WARM_UP_SECONDS)
        for rate in rates:
            yield measure(port, psutil.Process(server.pid), people, rate, seconds)
    finally:
        server.terminate()
        server.join()
    yield json.dumps({"file_mb": round(size / 2**20)})


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            asyncio.run(ask(port, browser(0, 1)))
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("nobody listens")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--rates", type=int, nargs="+", default=RATES)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    asked = parser.parse_args()
    os.environ.pop("REGULARS_OPS_URL", None)
    with tempfile.TemporaryDirectory() as folder:
        for line in run(Path(folder), asked.people, list(asked.rates), asked.seconds):
            print(line)


if __name__ == "__main__":
    main()
