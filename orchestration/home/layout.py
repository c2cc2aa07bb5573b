"""Where everything of one shop lies on disk: the folder `$REGULARS_HOME`.

Belongs here: paths, their permissions, and which home a command takes. Does not belong here:
reading any store; the one look into raw only asks whether a row was ever loaded.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from orchestration.home.sqlite_file import read_only_sqlite

SHOP_HOME = "data"
DEMO_HOME = "demo"
# Of every file in a home: nobody else reads it.
OWNER_ONLY = 0o600


@dataclass(frozen=True)
class Home:
    """The paths under one `$REGULARS_HOME`. Only `create` changes the disk."""

    root: Path

    @classmethod
    def locate(cls, home: str | Path | None = None, usual: str = "") -> Home:
        """The home named by the argument, else by `REGULARS_HOME`, else the usual one.

        That is `./data`, the shop's, where it exists, else `./demo`, the pretend shop's. A `./data`
        into which nothing was ever loaded, such as a first run's that failed, does not hide a
        `./demo` that is there. A command that makes a home names the one it makes.
        """
        chosen = home or os.environ.get("REGULARS_HOME") or usual or _usual_home()
        return cls(Path(chosen).expanduser().resolve())

    def create(self) -> Home:
        """Make the folders, readable by their owner only."""
        for folder in (self.root, self.dlt, self.dbt, self.dagster, self.ops_export):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self

    @property
    def raw(self) -> Path:
        """What sources said, as loaded; precious."""
        return self.root / "raw.duckdb"

    @property
    def warehouse(self) -> Path:
        """Models; can be deleted and rebuilt."""
        return self.root / "warehouse.duckdb"

    @property
    def candidate(self) -> Path:
        """The next published file while it is being audited."""
        return self.root / "published.candidate.duckdb"

    @property
    def published(self) -> Path:
        """The audited file that people and planners read."""
        return self.root / "published.duckdb"

    @property
    def masked(self) -> Path:
        """A copy of the published file without personal data, for analysts; made when asked for."""
        return self.root / "masked.duckdb"

    @property
    def published_dir(self) -> Path:
        """Parquet copies of the published tables, and the report."""
        return self.root / "published"

    @property
    def report(self) -> Path:
        """The self-contained HTML page."""
        return self.published_dir / "report.html"

    @property
    def ops(self) -> Path:
        """Consent, suppression, registry, memberships, outbox, ledger, runs; precious."""
        return self.root / "ops.sqlite"

    @property
    def ops_before_migration(self) -> Path:
        """The operational store as it was before the latest migration of its tables."""
        return self.root / "ops.before-migration.sqlite"

    @property
    def ops_export(self) -> Path:
        """Parquet files of the ops store as of the current run, read by dbt."""
        return self.root / "ops_export"

    @property
    def science(self) -> Path:
        """Parquet files of what was predicted in the current run, read by dbt's second call."""
        return self.root / "science"

    @property
    def delivered(self) -> Path:
        """Where the file destination writes unless told otherwise."""
        return self.root / "delivered"

    @property
    def feeds(self) -> Path:
        """What the site may be told of its visitors, a file per destination `onsite`."""
        return self.root / "feeds"

    @property
    def review(self) -> Path:
        """Proposals for a person to look at; can be deleted and made again."""
        return self.root / "review"

    @property
    def subject_exports(self) -> Path:
        """What is held about people who asked for it; deleted when it is old."""
        return self.root / "subject_exports"

    @property
    def inbox(self) -> Path:
        """What came by webhooks, in the layout of the input, read by each run beside it."""
        return self.root / "inbox"

    @property
    def test_messages(self) -> Path:
        """Messages that were tried out on the shop's own people, a line each; addresses masked."""
        return self.root / "test_messages.jsonl"

    @property
    def serve_lock(self) -> Path:
        """Held by the one process that takes webhooks for this home."""
        return self.root / ".serve.lock"

    @property
    def erasures(self) -> Path:
        """Receipts of people who were forgotten; without personal data."""
        return self.root / "erasures"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME."""
        return self.root / "dagster"

    @property
    def dlt(self) -> Path:
        """dlt's working folder; keeps load packages, so it holds personal data until cleaned."""
        return self.root / "dlt"

    @property
    def dbt(self) -> Path:
        """dbt's target and log folders."""
        return self.root / "dbt"

    @property
    def demo(self) -> Path:
        """The pretend shop's input files, and apart from them its truth."""
        return self.root / "demo"

    @property
    def mark(self) -> Path:
        """The small file that says whose data this is: a shop's or the pretend shop's."""
        return self.root / "home.json"

    @property
    def lock(self) -> Path:
        """The one lock of the whole write path."""
        return self.root / ".lock"

    @property
    def sending_lock(self) -> Path:
        """The lock of whoever sends: it reads what is published, so a run may model meanwhile."""
        return self.root / ".sending-lock"


def _usual_home() -> str:
    """Which home is meant where nobody says."""
    if not Path(SHOP_HOME).is_dir():
        return DEMO_HOME
    if Path(DEMO_HOME).is_dir() and not _holds_anything(Home(Path(SHOP_HOME))):
        return DEMO_HOME
    return SHOP_HOME


def _holds_anything(home: Home) -> bool:
    """Whether anything ever came here, was loaded, put aside or published, or said of permission.

    What cannot be looked into counts as full: a run is at work on it, or it is damaged.
    """
    if (
        home.published.exists()
        or home.inbox.is_dir()
        or _has_rows(home.ops, "consent_events", "suppressions")
    ):
        return True
    if not home.raw.exists():
        return False
    # Only where two homes are there and nothing is published.
    import duckdb  # noqa: PLC0415

    from ingestion.duckdb import connect  # noqa: PLC0415

    try:
        with connect(home.raw, read_only=True) as connection:
            row = connection.execute(
                "select coalesce(sum(estimated_size), 0) from duckdb_tables()"
                r" where table_name not like '\_%' escape '\'"
            ).fetchone()
    except duckdb.Error:
        return True
    return row is None or row[0] > 0


def _has_rows(path: Path, *tables: str) -> bool:
    if not path.exists():
        return False
    try:
        with read_only_sqlite(path) as connection:
            return any(
                connection.execute(f"select 1 from {table} limit 1").fetchone() for table in tables
            )
    except sqlite3.Error:
        return True
