"""The input folder as all its sources see it."""

from __future__ import annotations

from typing import Any

import pytest

from ingestion.config import Settings
from ingestion.files.folder import InputFolder
from ingestion.input_folder import folder_sources, open_input, said_of_input
from ingestion.pipelines import RunContext, run_source


def test_the_whole_folder_is_listed_once_for_all_sources(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a bucket with years of files, and every source looks for exports in all of it."""
    shop.write("web/a.jsonl", make.lines(make.event("m")))
    listed = []
    files = InputFolder.files

    def counting(self: InputFolder, *names: Any, **options: Any) -> Any:
        listed.append(names)
        return files(self, *names, **options)

    monkeypatch.setattr(InputFolder, "files", counting)
    settings = Settings()
    folder = open_input(shop.input, settings)
    said_of_input(folder, settings)
    known = shop.context()
    context = RunContext(known.raw_path, known.dlt_dir, "r", known.as_of, settings, folder)
    for source in folder_sources(settings)[:4]:
        run_source(source.name, context)
    assert listed.count(()) == 1
