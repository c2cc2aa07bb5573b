"""Every made-up sample of a system's export, read from one folder and modelled once.

Belongs here: that shop. Does not belong here: what any one export comes to.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.config import Settings
from ingestion.input_folder import open_input
from ingestion.landing.counts import TableCounts
from ingestion.pipelines import RunContext, run_source
from ingestion.registry import SOURCES
from tests.dbt.world import World

SAMPLES = Path(__file__).parent / "samples"
AS_OF = datetime(2026, 1, 1)
UP_TO_ORDERS = (
    "--select",
    "+int_orders_unioned",
    "--resource-type",
    "model",
    "--resource-type",
    "seed",
)


@dataclass
class ExportShop:
    """A folder of exports, and what the raw store and the models make of them."""

    root: Path
    settings: Settings
    run_count: int = 0

    @property
    def input(self) -> Path:
        return self.root / "input"

    @property
    def home(self) -> Path:
        return self.root / "home"

    def put(self, sample: str, place: str = "") -> Path:
        """Copy a sample into the input folder."""
        return self.write(place or f"exports/{sample}", (SAMPLES / sample).read_bytes())

    def write(self, place: str, content: str | bytes) -> Path:
        """Write a file of the input folder."""
        target = self.input / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def run(self, *sources: str) -> dict[str, TableCounts]:
        """Read the folder; the counts by `source.table`."""
        self.run_count += 1
        folder = open_input(self.input, self.settings)
        context = RunContext(
            *(self.home / "raw.duckdb", self.home / "dlt", f"run-{self.run_count}", AS_OF),
            *(self.settings, folder),
        )
        names = sources or tuple(n for n, s in SOURCES.items() if hasattr(s, "files"))
        counts = [count for name in names for count in run_source(name, context)]
        return {f"{count.source}.{count.table}": count for count in counts}

    def raw(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home / "raw.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def model(self) -> World:
        """Build the models up to the orders."""
        world = World(self.home, AS_OF.isoformat(sep=" "))
        world.build(*UP_TO_ORDERS)
        return world

    def orders(self, prefix: str = "") -> dict[str, tuple[Any, ...]]:
        """Gross sales, discounts, returns, net sales, shipping, taxes, currency and whether it
        was no sale, of each order whose id begins so."""
        with World(self.home, AS_OF.isoformat(sep=" ")).warehouse() as connection:
            rows = connection.execute(
                "select order_id, gross_sales, discounts, returns,"
                " gross_sales - discounts - returns, shipping, taxes, currency,"
                " is_cancelled or is_voided from intermediate.int_orders_unioned"
                " where starts_with(order_id, ?) order by order_id",
                [prefix],
            ).fetchall()
        return {row[0]: tuple(_short(value) for value in row[1:]) for row in rows}


def _short(value: Any) -> Any:
    """Amounts as text with cents, so that a test can write them; what is less than a cent shows."""
    if not isinstance(value, Decimal):
        return value
    cents = value.quantize(Decimal("0.01"))
    return str(cents) if cents == value else str(value)


@pytest.fixture
def exports(tmp_path: Path) -> ExportShop:
    """An empty shop."""
    return ExportShop(tmp_path, Settings())


@pytest.fixture(scope="session")
def all_exports(tmp_path_factory: pytest.TempPathFactory) -> ExportShop:
    """All samples in one folder, modelled."""
    shop = ExportShop(tmp_path_factory.mktemp("exports"), Settings())
    for sample in sorted(SAMPLES.iterdir()):
        shutil.copy(sample, shop.write(f"exports/{sample.name}", b""))
    shop.write("rates/eur.csv", "date,currency,rate\n2025-01-01,EUR,0.80\n2025-01-01,USD,0.75\n")
    shop.run()
    shop.model()
    return shop
