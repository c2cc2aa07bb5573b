"""Where everything of one shop lies on disk: the folder `$REGULARS_HOME`.

Belongs here: paths and their permissions. Does not belong here: opening or reading any store.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

SHOP_HOME = "data"
DEMO_HOME = "demo"


@dataclass(frozen=True)
class Home:
    """The paths under one `$REGULARS_HOME`. Only `create` touches the disk."""

    root: Path

    @classmethod
    def locate(cls, home: str | Path | None = None, usual: str = "") -> Home:
        """The home named by the argument, else by `REGULARS_HOME`, else the usual one.

        That is `./data`, the shop's, where it exists, else `./demo`, the pretend shop's; a command
        that makes a home names the one it makes.
        """
        usual = usual or (SHOP_HOME if Path(SHOP_HOME).is_dir() else DEMO_HOME)
        chosen = home or os.environ.get("REGULARS_HOME") or usual
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
    def delivered(self) -> Path:
        """Where the file destination writes unless told otherwise."""
        return self.root / "delivered"

    @property
    def review(self) -> Path:
        """Proposals for a person to look at; can be deleted and made again."""
        return self.root / "review"

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
