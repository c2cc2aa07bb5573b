"""`regulars demo`: the pretend shop, its servers, one whole run, and where to look next.

Belongs here: setting the stage and the closing words. Does not belong here: the world
(ingestion/demo) and the run (orchestration/host), which is the very same as a real shop's: the
sources reach the pretend servers by settings and environment variables alone.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC
from time import monotonic
from typing import Any

from rich.console import Console

from ingestion.config import Settings
from ingestion.demo.troubles import Troubles
from ingestion.demo.world import DEFAULT_AS_OF, MONTHS, make_world
from ingestion.demo.write import write_demo
from ingestion.errors import UsageError
from ingestion.settings_file import load_settings
from orchestration.activation.people import targets
from orchestration.commands.delivery import render_deliveries
from orchestration.commands.summary import print_next, print_summary
from orchestration.destinations import open_destination, pretend_account
from orchestration.destinations.base import TellsMembers
from orchestration.fakes.pretend import holding
from orchestration.home import lock
from orchestration.home.kind import (
    WORLD,
    claim,
    home_option,
    own_input,
    own_settings,
    read_mark,
)
from orchestration.home.layout import Home
from orchestration.host.launch import run_job
from orchestration.published.reader import open_published
from orchestration.run.pretend_clock import shop_moment
from orchestration.run.run import RunRequest, parse_as_of
from orchestration.words.program import program

SETTINGS = """\
# The pretend shop's settings, written by `regulars demo`.
[shop]
name = "The pretend shop"
hosts = ["shop.example.com"]

# Both APIs are served by the pretend shop itself while one of its runs lasts.
[sources.klaviyo]
enabled = true
base_url = "http://127.0.0.1"

[sources.shopify]
enabled = true
base_url = "http://127.0.0.1"

[models]
internal_email_domains = ["shop.example.com"]
internal_ips = ["192.0.2.10"]

[destinations.file]
kind = "file"
[destinations.file.options]
format = "csv"

# The pretend shop's own accounts: local doubles, whose state is in its folder (docs/fakes.md).
[destinations.klaviyo]
kind = "klaviyo"
[destinations.klaviyo.options]
base_url = "http://127.0.0.1"

[destinations.meta_ads]
kind = "meta_ads"
[destinations.meta_ads.options]
base_url = "http://127.0.0.1"
ad_account = "1001"
create = true

[destinations.google_ads]
kind = "google_ads"
[destinations.google_ads.options]
base_url = "http://127.0.0.1"
operating_account = "123-456-7890"
lists = { retargeting = "9001" }
terms_accepted = true

# What the shop's pages may ask about a visitor (docs/channels/onsite.md).
[destinations.onsite]
kind = "onsite"
[destinations.onsite.options]
origins = ["https://shop.example.com"]

[segments.first_time_visitors]
destinations = ["file", "onsite"]
[segments.vip]
destinations = ["file", "klaviyo"]
[segments.at_risk]
destinations = ["file", "klaviyo"]
"""


SECOND_SHOP = """
# The second shop, of `--shops 2`: its ids have its name before them.
[sources.shopify.outlet]
enabled = true
base_url = "http://127.0.0.1/outlet"
"""


def run_demo(
    home: Home,
    people: int,
    seed: int,
    as_of: str | None,
    out: Console,
    *,
    cards: bool = True,
    months: int = MONTHS,
    shops: int = 1,
) -> None:
    """Make the world (once), serve it, run everything, deliver to local files, tell about it.

    Raises:
        UsageError: the home holds another world, or a shop's own data.
        BusyError: another run holds the home.
    """
    started = monotonic()
    option = home_option(home)
    moment = parse_as_of(as_of) if as_of else DEFAULT_AS_OF.astimezone(UTC).replace(tzinfo=None)
    wanted = {
        "people": people,
        "seed": seed,
        "months": months,
        "as_of": moment.isoformat(),
        "cards": cards,
        "shops": shops,
    }
    with lock.hold(home.lock):
        _refuse_another_world(home, wanted)
        claim(home, "demo", wanted)
        if not (home.demo / WORLD).exists():
            out.print(f"Making a pretend shop: {people:,} people, {months} months, seed {seed} ...")
            shutil.rmtree(home.demo, ignore_errors=True)
            troubles = Troubles(hidden_card=0.0 if cards else 1.0)
            first = moment.replace(tzinfo=UTC)
            write_demo(make_world(people, seed, first, troubles, months), home.demo, shops=shops)
            (home.demo / WORLD).write_text(json.dumps(wanted), "utf-8")
        if not own_settings(home).exists():
            own_settings(home).write_text(SETTINGS + (SECOND_SHOP if shops > 1 else ""), "utf-8")
        os.environ["REGULARS_CONFIG"] = str(own_settings(home))
        out.print("Pulling ...")
        # Asked for, like `--send`: it goes into the demo's own folder, and can go nowhere else.
        request = RunRequest(shop_moment(home), own_input(home), send="yes")
        output = run_job(home, request, out.print)
    print_summary(home, out, output.ignored)
    render_deliveries(output.deliveries, out)
    _print_accounts(home, out)
    out.print(f"\nReport     {home.report}")
    out.print(f"Delivered  {home.delivered}")
    out.print(f"Done in {monotonic() - started:.0f} s.")
    print_next(out, _next_commands(home, option))


def _refuse_another_world(home: Home, wanted: dict[str, object]) -> None:
    mark = read_mark(home)
    if mark is None or mark.kind != "demo":
        return
    world = {"months": MONTHS, "shops": 1, **mark.world}  # older marks do not say it
    if world != wanted:
        raise UsageError(
            f"{home.root} holds another pretend shop ({_words(world)}).",
            "Use another --home, or remove that folder first.",
        )


def _words(world: Mapping[str, object]) -> str:
    cards = "" if world["cards"] else ", without cards"
    made = f"{world['people']} people, {world['months']} months, seed {world['seed']}"
    made += ", two shops" if world["shops"] != 1 else ""
    return f"{made}, as of {world['as_of']}{cards}"


def _print_accounts(home: Home, out: Console) -> None:
    """What each of the pretend shop's accounts with vendors, and its site's feed, now holds."""
    settings = load_settings()
    for name, own in sorted(settings.destinations.items()):
        account = pretend_account(own, home) if own.enabled else None
        held = holding(account) if account else _members(home, settings, name)
        if held:
            out.print(f"{name} holds  {_counts(held)}", soft_wrap=True)


def _members(home: Home, settings: Settings, name: str) -> dict[str, int]:
    """How many people a destination has of each segment, if it is on and can tell."""
    destination = open_destination(name, settings.destinations[name], home)
    if not (settings.destinations[name].enabled and isinstance(destination, TellsMembers)):
        return {}
    return {
        target.segment: len(list(destination.members_of(target.segment)))
        for target in targets(home, settings, destination=name)
    }


def _counts(held: Mapping[str, Any]) -> str:
    """`profiles 1,912, properties regulars_vip 12`: what is none is left out."""
    parts = []
    for key, value in held.items():
        if isinstance(value, Mapping):
            inner = _counts(value)
            parts += [f"{key} ({inner})"] if inner else []
        elif value:
            number = value if isinstance(value, bool) else f"{value:,}"
            parts.append(key if number is True else f"{key} {number}")
    return ", ".join(parts)


def _next_commands(home: Home, option: str) -> list[tuple[str, str]]:
    """Commands that work when pasted, on this home."""
    command = program()
    with open_published(home) as published:
        row = published.execute(
            "select customer_id from segments.seg_vip order by customer_id limit 1"
        ).fetchone()
    who = row[0] if row else "ID"
    return [
        (
            f"{command} plan abandoned_cart{option}",
            "who would get what, who is held back, and why",
        ),
        (
            f"{command} explain {who}{option}",
            "who one of the best customers is, and how we know",
        ),
        (
            f'{command} sql "select * from segments.seg_high_intent limit 5"{option}',
            "the audited tables",
        ),
        (f"{command} serve{option}", "the pages for whoever plans the shop's marketing"),
        (f"{command} dev{option}", "the pages, and Dagster with the whole lineage"),
    ]
