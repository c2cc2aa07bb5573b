"""What holds for every export that is declared."""

from __future__ import annotations

import pytest

from ingestion.config import REPOSITORY
from ingestion.files.recognised.registry import EXPORTS, export_of
from ingestion.input_folder import open_input
from ingestion.landing.judging import normal
from ingestion.registry import SOURCES
from tests.exports.conftest import SAMPLES, ExportShop


@pytest.mark.parametrize("name", EXPORTS)
def test_it_feeds_columns_that_our_tables_have(name: str) -> None:
    for feed in EXPORTS[name].feeds:
        spec = next(spec for spec in SOURCES[feed.source].tables if spec.name == feed.table)
        known = {normal(path) for column in spec.columns for path in column.paths}
        known |= {normal(column.name) for column in spec.columns}
        own = {column for column in feed.columns if normal(column) not in known}
        assert not own or spec.attributes, own


def test_every_export_has_a_sample_and_stands_in_the_documentation(exports: ExportShop) -> None:
    for sample in SAMPLES.iterdir():
        exports.put(sample.name)
    folder = open_input(exports.input, exports.settings)
    found = {export.name for file in folder.files() if (export := export_of(folder, file))}
    assert found == set(EXPORTS)
    page = (REPOSITORY / "docs" / "formats.md").read_text("utf-8")
    assert [name for name in EXPORTS if f"`{name}`" not in page] == []
