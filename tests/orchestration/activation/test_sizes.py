"""What destinations say they have becomes rows of a table, and one notice where it differs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import select

from ingestion import config
from ingestion.config import Settings
from orchestration.activation.sizes import ask_destinations
from orchestration.activation.sync import sync
from orchestration.defs import reconcile as job
from orchestration.destinations import open_destination
from orchestration.destinations.audience_tables import MEMBERS
from orchestration.ops import schema
from orchestration.run.notify import Notice
from tests.orchestration.activation.shop import NOW, TARGET, Shop

NAME = TARGET.destination
CRM = config.Destination(kind="sql", options={"url_env": "AUDIENCES_URL"})
SETTINGS = Settings(
    destinations={
        NAME: CRM,
        "cannot_tell": config.Destination(kind="file"),
        "switched_off": CRM.model_copy(update={"enabled": False}),
    }
)


@pytest.fixture
def database(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database to which two people were delivered."""
    file = tmp_path / "audiences.db"
    file.touch()
    monkeypatch.setenv("AUDIENCES_URL", f"sqlite:///{file}")
    for name in ("ann", "ben"):
        shop.add(name, f"{name}@example.com")
        shop.grant(f"{name}@example.com")
    shop.publish()
    sync(shop.store, shop.home, TARGET, open_destination(NAME, CRM, shop.home), at=NOW)
    return file


def execute(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


def test_each_answer_is_a_row_and_the_same_moment_is_one(shop: Shop, database: Path) -> None:
    execute(database, f"delete from {MEMBERS} where customer_id = 'ann'")
    for _ in range(2):
        (asked,) = ask_destinations(shop.home, SETTINGS)
        assert (asked.destination, asked.error) == (NAME, None)
    rows = _rows(shop)
    assert {row["destination"] for row in rows} == {NAME}
    latest = max(rows, key=lambda row: row["asked_at"])
    counts = [latest[f"{name}_count"] for name in ("held", "ledger", "missing", "surplus")]
    assert counts == [1, 2, 1, 0]
    assert "ann" not in str(rows)


def test_a_shop_that_never_sent_anything_asks_nobody(shop: Shop) -> None:
    assert list(ask_destinations(shop.home, SETTINGS)) == []


def test_one_that_cannot_be_asked_hides_no_other(
    shop: Shop, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = CRM.model_copy(update={"options": {"url_env": "LOST_URL"}})
    (tmp_path / "lost.db").touch()
    monkeypatch.setenv("LOST_URL", f"sqlite:///{tmp_path}/lost.db")
    to_it = replace(TARGET, destination="a_lost_one")
    sync(shop.store, shop.home, to_it, open_destination("a_lost_one", lost, shop.home), at=NOW)
    monkeypatch.delenv("LOST_URL")
    settings = Settings(destinations={"a_lost_one": lost, **SETTINGS.destinations})
    asked = list(ask_destinations(shop.home, settings))
    assert [(each.destination, each.error is None) for each in asked] == [
        ("a_lost_one", False),
        (NAME, True),
    ]


@pytest.mark.parametrize(("statement", "notices"), [("", 0), (f"delete from {MEMBERS}", 1)])
def test_the_job_tells_all_that_differs_in_one_notice(
    shop: Shop, database: Path, statement: str, notices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Notice] = []
    monkeypatch.setattr(job.Home, "locate", lambda: shop.home)
    monkeypatch.setattr(job, "load_settings", lambda: SETTINGS)
    monkeypatch.setattr(job, "send_notice", lambda _, notice: told.append(notice))
    if statement:
        execute(database, statement)
    done = job.reconcile.execute_in_process(instance=dg.DagsterInstance.ephemeral())
    assert done.success
    assert [(notice.error, notice.steps) for notice in told] == [
        ("DriftError", ("reconcile",))
    ] * notices
    assert len(_rows(shop)) == 1


def _rows(shop: Shop) -> list[dict[str, object]]:
    with shop.store.read() as connection:
        return [dict(row) for row in connection.execute(select(schema.audience_sizes)).mappings()]
