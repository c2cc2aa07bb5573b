"""Write a pretend shop: `python -m ingestion.demo --people N --out DIR [--all-files]`."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

from ingestion.demo.world import DEFAULT_AS_OF, DEFAULT_PEOPLE, MONTHS, make_world
from ingestion.demo.write import write_all_files, write_demo


def main(arguments: list[str] | None = None) -> int:
    """Write the world that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m ingestion.demo", description=__doc__)
    parser.add_argument("--people", type=int, default=DEFAULT_PEOPLE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--as-of", type=datetime.fromisoformat, default=DEFAULT_AS_OF)
    parser.add_argument("--months", type=int, default=MONTHS, help="how long it has been there")
    parser.add_argument(
        "--out", type=Path, required=True, help="gets input/, truth/ and, with servers, api/"
    )
    parser.add_argument(
        "--shops", type=int, default=1, choices=[1, 2], help="2: a small one in euros beside it"
    )
    parser.add_argument(
        "--all-files", action="store_true", help="orders and mail as files too, no APIs"
    )
    parser.add_argument(
        "--ending",
        help="of JSON Lines with --all-files",
        default=".jsonl.zst",
        choices=[".jsonl", ".jsonl.gz", ".jsonl.zst"],
    )
    chosen = parser.parse_args(arguments)
    if chosen.people < 1:
        parser.error("--people must be at least 1")
    if chosen.months < 1:
        parser.error("--months must be at least 1")
    if chosen.shops > 1 and chosen.all_files:
        parser.error(
            "--shops 2 needs the APIs, as files are of the first shop: leave --all-files out"
        )
    world = make_world(chosen.people, chosen.seed, chosen.as_of, months=chosen.months)
    if chosen.all_files:
        write_all_files(world, chosen.out, chosen.ending)
    else:
        write_demo(world, chosen.out, shops=chosen.shops)
    return 0


if __name__ == "__main__":
    sys.exit(main())
