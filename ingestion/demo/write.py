"""Writing a world: the input folder, the APIs' content, everything as files, and the truth apart.

Belongs here: which writer makes what, block by block. Does not belong here: formats (write_*).

Layout of a demo folder: `input/` (FORMATS' folders), `api/` (what the servers serve), `truth/`
(which nothing in the other two refers to) and, where there is a second shop, `shops/`.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ingestion.demo import (
    write_checkouts,
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
from ingestion.demo.second_shop import write_second_shop
from ingestion.demo.tables import Connection, connection, load_block, load_shop
from ingestion.demo.world import Block, World


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
            write_checkouts.write_api_block(con, folder / "shopify", block.index, until)
        write_klaviyo.write_api_fixed(con, folder / "klaviyo", since)
        write_shopify.write_api_fixed(con, folder / "shopify", since, until)


def write_demo(world: World, folder: Path, workers: int | None = None, shops: int = 1) -> None:
    """Write input, APIs and truth side by side; the files are the same for any `workers`."""
    _write_blocks(partial(_write_demo_block, world, folder), world.block_count, workers)
    api = folder / "api"
    with connection() as con:
        load_shop(con, world)
        write_klaviyo.write_api_fixed(con, api / "klaviyo", world.calendar.start)
        write_shopify.write_api_fixed(
            con, api / "shopify", world.calendar.start, world.calendar.end
        )
        _write_fixed_folders(con, world, folder)
    if shops > 1:
        write_second_shop(world, folder)


def write_all_files(
    world: World, folder: Path, ending: str = ".jsonl.zst", workers: int | None = None
) -> None:
    """Write everything as files, orders and mail too: for benchmarks and worlds of any size."""
    _write_blocks(partial(_write_block_files, world, folder, ending), world.block_count, workers)
    with connection() as con:
        load_shop(con, world)
        _write_fixed_folders(con, world, folder)


def _write_blocks(write: Callable[[int], None], count: int, workers: int | None) -> None:
    """Write every block by its number; they are independent, so several processes do it."""
    workers = min(workers or os.cpu_count() or 1, count)
    if workers == 1:
        for index in range(count):
            write(index)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        for task in as_completed([pool.submit(write, index) for index in range(count)]):
            task.result()


def _write_fixed_folders(con: Connection, world: World, folder: Path) -> None:
    write_claims.gather_claims(con, folder / "claims")
    write_folders.write_fixed_folders(con, world, folder / "input")
    shutil.rmtree(folder / "claims")


def _write_demo_block(world: World, folder: Path, index: int) -> None:
    with _written_block(world, folder, ".jsonl.gz", index) as con:
        write_klaviyo.write_api_block(con, folder / "api" / "klaviyo", index)
        shopify = folder / "api" / "shopify"
        write_shopify.write_api_block(con, shopify, index)
        write_checkouts.write_api_block(con, shopify, index, world.calendar.end)


def _write_block_files(world: World, folder: Path, ending: str, index: int) -> None:
    with _written_block(world, folder, ending, index) as con:
        write_klaviyo.write_email_files(con, folder / "input" / "email", index, ending)
        write_shopify.write_order_files(con, folder / "input" / "orders", index, ending)


@contextmanager
def _written_block(world: World, folder: Path, ending: str, index: int) -> Iterator[Connection]:
    """A block whose truth and files are written, but not yet its online orders and its mail."""
    target = folder / "input"
    with connection() as con:
        _prepare_block(con, world, world.block(index))
        write_web.write_web(con, target / "web", index, world.troubles.broken_line, ending)
        write_folders.write_block_folders(con, target, index)
        write_klaviyo.prepare(con, world.calendar.start, world.calendar.end)
        write_truth.write_block_truth(con, world, folder / "truth", index)
        write_claims.write_block_claims(con, folder / "claims", index, world.calendar.start)
        yield con


def _prepare_block(con: Connection, world: World, block: Block) -> None:
    """Make its tables; its columns are not kept beside them while files are written."""
    load_block(con, world, block)
    write_programmes.prepare(con, world, block)
    write_levels.prepare(con, world)
    write_offers.prepare(con, world)
