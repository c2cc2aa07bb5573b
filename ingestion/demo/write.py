"""Writing a world: the input folder, the APIs' content, everything as files, and the truth apart.

Belongs here: which writer makes what, block by block. Does not belong here: formats (write_*).

Layout of a demo folder: `input/` (FORMATS' folders), `api/` (what the servers serve), `truth/`
(which nothing in the other two refers to).
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from ingestion.demo import (
    write_claims,
    write_folders,
    write_klaviyo,
    write_levels,
    write_offers,
    write_programmes,
    write_shopify,
    write_truth,
    write_web,
)
from ingestion.demo.tables import Connection, connection, load_block
from ingestion.demo.world import World


def write_api(world: World, folder: Path) -> None:
    """Write what the pretend Klaviyo and Shopify know."""
    since, until = world.calendar.start, world.calendar.end
    with connection() as con:
        for block in world.blocks():
            load_block(con, world, block)
            write_web.prepare(con)
            write_klaviyo.prepare(con, since, until)
            write_klaviyo.write_api_block(con, folder / "klaviyo", block.index)
            write_shopify.write_api_block(con, folder / "shopify", block.index)
        write_klaviyo.write_api_fixed(con, folder / "klaviyo", since)
        write_shopify.write_api_fixed(con, folder / "shopify", since)


def write_demo(world: World, folder: Path) -> None:
    """Write input, APIs and truth side by side."""
    since, until = world.calendar.start, world.calendar.end
    target, api = folder / "input", folder / "api"
    with connection() as con:
        for block in world.blocks():
            load_block(con, world, block)
            write_programmes.prepare(con, world, block)
            write_levels.prepare(con, world)
            write_offers.prepare(con, world)
            write_web.write_web(con, target / "web", block.index, world.troubles.broken_line)
            write_folders.write_block_folders(con, target, block.index)
            write_klaviyo.prepare(con, since, until)
            write_klaviyo.write_api_block(con, api / "klaviyo", block.index)
            write_shopify.write_api_block(con, api / "shopify", block.index)
            write_truth.write_block_truth(con, world, folder / "truth", block.index)
            write_claims.write_block_claims(con, folder / "claims", block.index, since)
        write_klaviyo.write_api_fixed(con, api / "klaviyo", since)
        write_shopify.write_api_fixed(con, api / "shopify", since)
        _write_fixed_folders(con, world, folder)


def write_all_files(
    world: World, folder: Path, ending: str = ".jsonl.zst", workers: int | None = None
) -> None:
    """Write everything as files, orders and mail too: for benchmarks and worlds of any size.

    Blocks are independent, so large worlds are written by several processes; the files are the
    same for any number of them.
    """
    workers = min(workers or os.cpu_count() or 1, world.block_count)
    if workers == 1:
        for index in range(world.block_count):
            _write_block_files(world, index, folder, ending)
    else:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
            tasks = [
                pool.submit(_write_block_files, world, index, folder, ending)
                for index in range(world.block_count)
            ]
            for task in as_completed(tasks):
                task.result()
    with connection() as con:
        _write_fixed_folders(con, world, folder)


def _write_fixed_folders(con: Connection, world: World, folder: Path) -> None:
    write_claims.gather_claims(con, folder / "claims")
    write_folders.write_fixed_folders(con, world, folder / "input")
    shutil.rmtree(folder / "claims")


def _write_block_files(world: World, index: int, folder: Path, ending: str) -> None:
    target = folder / "input"
    with connection() as con:
        block = world.block(index)
        load_block(con, world, block)
        write_programmes.prepare(con, world, block)
        write_levels.prepare(con, world)
        write_offers.prepare(con, world)
        write_web.write_web(con, target / "web", index, world.troubles.broken_line, ending)
        write_folders.write_block_folders(con, target, index)
        write_klaviyo.prepare(con, world.calendar.start, world.calendar.end)
        write_klaviyo.write_email_files(con, target / "email", index, ending)
        write_shopify.write_order_files(con, target / "orders", index, ending)
        write_truth.write_block_truth(con, world, folder / "truth", index)
        write_claims.write_block_claims(con, folder / "claims", index, world.calendar.start)
