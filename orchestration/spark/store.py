"""Where all that Spark keeps of a home lies: the catalogue folder of the settings.

Belongs here: its paths. Does not belong here: what is put there (raw_tables.py, catalogue.py).

It can be deleted and is made again. Workers on other machines see it under the same path.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ingestion.config import Engine
from orchestration.home.layout import Home

USUAL = "spark"  # in the home


@dataclass(frozen=True)
class SparkStore:
    """The paths in the catalogue folder."""

    root: Path

    @property
    def tables(self) -> Path:
        """Tables of models, as Spark writes them: `<schema>.db/<table>/`."""
        return self.root / "tables"

    @property
    def read(self) -> Path:
        """What models read: raw, the ops export, science, as `<schema>/<table>/rows.parquet`."""
        return self.root / "read"

    @property
    def views(self) -> Path:
        """The views of earlier calls of dbt, as statements."""
        return self.root / "views.json"

    @property
    def scratch(self) -> Path:
        """What Spark puts aside while it works."""
        return self.root / "scratch"

    def create(self) -> SparkStore:
        """Make the folder, its owner's only: it holds people's data.

        Raises:
            OSError: nothing can be made there.
        """
        for folder in (self.root, self.read, self.tables, self.scratch):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self

    def remove_tables(self) -> None:
        """Delete what models became."""
        shutil.rmtree(self.tables, ignore_errors=True)
        self.views.unlink(missing_ok=True)

    def remove(self) -> int:
        """Delete what lies in it, as for somebody who is forgotten; 1 if anything did."""
        if not any(path.exists() for path in (self.read, self.tables, self.views)):
            return 0
        self.remove_tables()
        for folder in (self.read, self.scratch):
            shutil.rmtree(folder, ignore_errors=True)
        return 1


def spark_store(home: Home, engine: Engine) -> SparkStore:
    """The catalogue folder that the settings name, else the home's own."""
    return SparkStore(
        Path(engine.catalogue).expanduser() if engine.catalogue else home.root / USUAL
    )
