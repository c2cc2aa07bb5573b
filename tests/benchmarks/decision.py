"""What one day's decision costs: everybody, all segments, their permissions read from the store.

Belongs here: drawing people, wishes and permissions of a day, and the bill of judging them. Does
not belong here: the rule (`orchestration/activation`), reading a published file, how figures are
told (`page`).

Run as a module: `python -m tests.benchmarks.decision [--people N] [--segments N]`; the last line is
JSON: CPU seconds and wall seconds of judging, peak memory of the whole process in megabytes,
wishes, and how many people get a message. It ends with 1 where the peak is above `--limit-mb`.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from orchestration.activation.contact_day import ContactDay, Rules
from orchestration.activation.decision import GLOBAL, Limits, Person, SegmentRules, Wish
from orchestration.activation.gate import Identifier
from orchestration.activation.quiet_hours import Place, Shop
from orchestration.home.layout import Home
from orchestration.ops.permission.consents import append_facts
from orchestration.ops.store import Store, open_store, to_micros

AS_OF = datetime(2026, 6, 1, 12)
PEOPLE, SEGMENTS = 200_000, 40
LIMIT_MB = 2048
WISHES = 5  # segments that want a person, on average
CHANNELS = (("email",), ("sms", "email"), ("email", "push"), ("onsite",))
KINDS = ("offer", "reminder", "recommendation", "newsletter", "welcome")
COUNTRIES = ("GB", "US", "DE", "FR", "JP", "")
GRANTED, REFUSED = 0.6, 0.1  # shares of people


def drawn_day(people: int, segments: int, seed: int = 1) -> ContactDay:
    """People with an address and a number each, and whom which segment wants."""
    draw = random.Random(seed)
    rules = {
        f"s{n:02d}": SegmentRules(
            f"s{n:02d}", CHANNELS[n % len(CHANNELS)], "marketing", KINDS[n % len(KINDS)], n
        )
        for n in range(segments)
    }
    shop = Shop("Europe/London", "GB")
    day = ContactDay(Rules(rules, Limits(), shop, {GLOBAL: 0.0}, "salt"), AS_OF)
    now = to_micros(AS_OF)
    for number in range(people):
        name = f"c{number:07d}"
        wanted = sorted(draw.sample(sorted(rules), min(segments, draw.randint(1, 2 * WISHES - 1))))
        day.wishes[name] = [Wish(each, now - draw.randrange(10**12)) for each in wanted]
        bought = now - draw.randrange(10**13) if draw.random() < 0.5 else None
        day.people[name] = Person(name, draw.choice(("segment", "full")), bought)
        day.places[name] = Place(draw.choice(COUNTRIES))
        day.identifiers[name] = [
            Identifier("email", f"{name}@example.com", "checkout", is_primary=True),
            Identifier("phone", f"+4477{number:08d}", "checkout"),
        ]
    return day


def draw_permissions(store: Store, people: int, seed: int = 2) -> None:
    """Who allowed what, and who refused it again, in the store."""
    draw = random.Random(seed)
    rows = [row for number in range(people) for row in _permission(number, draw.random())]
    consents = [row for row in rows if "status" in row]
    with store.write() as connection:
        append_facts(connection, consents, [row for row in rows if "reason" in row])


def _permission(number: int, drawn: float) -> Iterator[dict[str, Any]]:
    who = {"identifier_type": "email", "identifier_value": f"c{number:07d}@example.com"}
    at = to_micros(AS_OF - timedelta(days=30))
    said = {**who, "channel": "email", "source": "form", "recorded_at": at}
    if drawn < GRANTED:
        yield {
            **said,
            "consent_event_id": f"g{number}",
            "purpose": "marketing",
            "status": "granted",
            "occurred_at": at,
            "wording_version": "v1",
            "expires_at": None,
            "proof": None,
            "lawful_basis": "consent",
            "level": None,
        }
    if drawn < REFUSED:
        yield {
            **said,
            "suppression_id": f"r{number}",
            "purpose": "*",
            "reason": "unsubscribed",
            "occurred_at": at + 1,
        }


def bill(people: int, segments: int, folder: Path) -> dict[str, float]:
    """Judge a drawn day once; what it took and came to."""
    day = drawn_day(people, segments)
    with open_store(Home(folder).create()) as store:
        draw_permissions(store, people)
        cpu, wall = time.process_time(), time.perf_counter()
        with store.read() as facts:
            judged = day.judge(facts, AS_OF)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {
        "cpu": cpu,
        "wall": wall,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "wishes": sum(map(len, day.wishes.values())),
        "chosen": sum(row.verdict.outcome == "chosen" for row in judged.rows),
    }


def main(arguments: list[str]) -> int:
    """Judge and print; 1 where it took more memory than it may."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.decision", description=__doc__
    )
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--segments", type=int, default=SEGMENTS)
    parser.add_argument("--limit-mb", type=int, default=LIMIT_MB, help="memory it may take")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        cost = bill(chosen.people, chosen.segments, Path(folder))
    peak = cost["peak_mb"]
    if peak > chosen.limit_mb:
        print(f"It took {peak:,.0f} MB, more than {chosen.limit_mb:,} MB.", file=sys.stderr)
    print(json.dumps(cost))
    return int(peak > chosen.limit_mb)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
