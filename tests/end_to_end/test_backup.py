"""A home is lost and comes back from its backup, by the commands (RELIABILITY O7, A8)."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.end_to_end.conftest import DemoHome, Regulars

pytestmark = pytest.mark.faults  # two whole runs of a small shop

LEFT = "reader-who-left@example.com"
# Whoever left after the backup is known by the run that reads it, and was not before.
ALL = f"select * from marts.dim_customers where email is distinct from '{LEFT}' order by all"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, regulars: Regulars) -> DemoHome:
    """A small pretend shop."""
    root = tmp_path_factory.mktemp("kept") / "home"
    done = regulars("demo", "--people", "100", "--home", root)
    assert done.code == 0, done.out + done.err
    return DemoHome(root, done.out)


def test_a_lost_home_comes_back_and_sends_nothing_before_a_run(
    shop: DemoHome, regulars: Regulars, tmp_path: Path
) -> None:
    backup, key, home = tmp_path / "kept.age", tmp_path / "key", tmp_path / "home"
    before = shop.query(ALL)
    as_of = shop.query("select as_of from ops.build")[0][0]
    kept = regulars("backup", backup, "--key", key, "--home", shop.root)
    assert kept.code == 0, kept.err
    assert "The key is new" in kept.out
    after = regulars(
        *("consent", "revoke", LEFT, "--channel", "email", "--purpose", "marketing"),
        *("--home", shop.root),
    )
    assert after.code == 0, after.err
    log = tmp_path / "log.csv"
    assert regulars("consent", "export", log, "--home", shop.root).code == 0
    shutil.rmtree(shop.root)

    assert regulars("restore", backup, "--key", key, "--home", home).code == 0
    doctor = regulars("doctor", "--home", home)
    assert doctor.code == 1
    assert "was restored from a backup" in doctor.out
    shutil.copy(log, home / "demo" / "input" / "consents" / "since.csv")
    contacts = home / "demo" / "input" / "contacts"
    contacts.rename(home / "contacts")
    run = regulars("run", "--as-of", as_of.isoformat(), "--home", home)
    assert run.code == 0, run.out + run.err
    sync = regulars("sync", "--home", home)
    assert sync.code == 1
    assert "nothing was read since of contacts, so" in sync.err
    (home / "contacts").rename(contacts)
    run = regulars("run", "--as-of", as_of.isoformat(), "--home", home)
    assert run.code == 0, run.out + run.err
    sync = regulars("sync", "--home", home)
    assert sync.code == 0, sync.out + sync.err
    assert "restored from a backup" not in regulars("doctor", "--home", home).out
    with duckdb.connect(str(home / "published.duckdb"), read_only=True) as connection:
        assert connection.execute(ALL).fetchall() == before
    refused = regulars("consent", "export", tmp_path / "again.csv", "--home", home)
    assert refused.code == 0
    assert LEFT in (tmp_path / "again.csv").read_text("utf-8")
