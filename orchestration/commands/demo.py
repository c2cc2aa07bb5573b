"""`regulars demo`: the pretend shop, its servers, one whole run, and where to look next.

Belongs here: setting the stage and the closing words. Does not belong here: the world
(ingestion/demo) and the run (orchestration/launch), which is the very same as a real shop's: the
sources reach the pretend servers by settings and environment variables alone.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from datetime import UTC
from pathlib import Path
from time import monotonic

from rich.console import Console

from ingestion.config import CONFIG_NAME
from ingestion.demo.servers import DemoServers, demo_servers
from ingestion.demo.troubles import Troubles
from ingestion.demo.world import DEFAULT_AS_OF, make_world
from ingestion.demo.write import write_demo
from ingestion.errors import UsageError
from orchestration import lock
from orchestration.commands.delivery import render_deliveries
from orchestration.commands.summary import print_next, print_summary
from orchestration.home import DEFAULT_HOME, Home
from orchestration.launch import run_job
from orchestration.publishing.reader import open_published
from orchestration.run import RunRequest, parse_as_of

MARK = "world.json"


def run_demo(
    home: Home, people: int, seed: int, as_of: str | None, out: Console, *, cards: bool = True
) -> None:
    """Make the world (once), serve it, run everything, deliver to local files, tell about it.

    Raises:
        UsageError: the home holds another world, or a shop's own data.
        BusyError: another run holds the home.
    """
    started = monotonic()
    moment = parse_as_of(as_of) if as_of else DEFAULT_AS_OF.astimezone(UTC).replace(tzinfo=None)
    wanted = {"people": people, "seed": seed, "as_of": moment.isoformat(), "cards": cards}
    with lock.hold(home.lock):
        _refuse_another_world(home, wanted)
        home.create()
        if not (home.demo / MARK).exists():
            out.print(f"Making a pretend shop: {people:,} people, 18 months, seed {seed} ...")
            shutil.rmtree(home.demo, ignore_errors=True)
            troubles = Troubles(hidden_card=0.0 if cards else 1.0)
            write_demo(make_world(people, seed, moment.replace(tzinfo=UTC), troubles), home.demo)
            (home.demo / MARK).write_text(json.dumps(wanted), "utf-8")
        with demo_servers(home.demo / "api") as servers:
            out.print(
                f"Its email API is at {servers.klaviyo_url}, its shop API at {servers.shopify_url}."
            )
            out.print("Pulling ...")
            _point_at(home, servers)
            request = RunRequest(moment, str(home.demo / "input"))
            heard = run_job(home, request, out.print)
    print_summary(home, out, heard.ignored)
    render_deliveries(heard.deliveries, out)
    out.print(f"\nReport     {home.report}")
    out.print(f"Delivered  {home.delivered}")
    out.print(f"Done in {monotonic() - started:.0f} s.")
    print_next(out, _next_commands(home))


def _refuse_another_world(home: Home, wanted: dict[str, object]) -> None:
    mark = home.demo / MARK
    if mark.exists():
        known = {"cards": True} | json.loads(mark.read_text("utf-8"))
        if known != wanted:
            raise UsageError(
                f"{home.root} holds another pretend shop ({_words(known)}).",
                "Use another --home, or remove that folder first.",
            )
    elif home.raw.exists() and not home.demo.exists():
        raise UsageError(
            f"{home.root} holds a shop's own data, and the demo would mix with it.",
            "Use another --home for the demo.",
        )


def _words(world: dict[str, object]) -> str:
    cards = "" if world["cards"] else ", without cards"
    return f"{world['people']} people, seed {world['seed']}, as of {world['as_of']}{cards}"


def _point_at(home: Home, servers: DemoServers) -> None:
    """Settings and credentials of the pretend shop, by the same means as a real one's."""
    content = f"""\
# The pretend shop's settings, written by `regulars demo`.
[shop]
name = "The pretend shop"

[sources.klaviyo]
enabled = true
base_url = "{servers.klaviyo_url}"

[sources.shopify]
enabled = true
base_url = "{servers.shopify_url}"

[models]
internal_email_domains = ["shop.example.com"]
internal_ips = ["192.0.2.10"]

[destinations.file]
kind = "file"
[destinations.file.options]
format = "csv"
"""
    path = home.demo / CONFIG_NAME
    path.write_text(content, "utf-8")
    os.environ.update({"REGULARS_CONFIG": str(path), **servers.env})


def _next_commands(home: Home) -> list[tuple[str, str]]:
    """Three commands that work when pasted, on this home."""
    program = Path(os.path.relpath(Path(sys.executable).with_name("regulars")))
    usual = Path.cwd() / DEFAULT_HOME
    place = "" if home.root == usual.resolve() else f" --home {home.root}"
    with open_published(home) as published:
        row = published.execute(
            "select customer_id from segments.seg_vip order by customer_id limit 1"
        ).fetchone()
    who = row[0] if row else "ID"
    return [
        (f"{program} plan abandoned_cart{place}", "who would get what, who is held back, and why"),
        (f"{program} explain {who}{place}", "who one of the best customers is, and how we know"),
        (
            f'{program} sql "select * from segments.seg_high_intent limit 5"{place}',
            "the audited tables",
        ),
        (f"{program} dev{place}", "Dagster with the whole lineage"),
    ]
