"""docs/architecture.md shows the imports as they are; an import that points upward is caught."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grimp
import networkx
import pytest

from ingestion.config import REPOSITORY
from tests import architecture


def test_the_page_shows_the_imports_as_they_are() -> None:
    stale = "docs/architecture.md is older than the code: run `python -m tests.architecture`"
    assert architecture.PAGE.read_text("utf-8") == architecture.page(), stale


def test_a_circle_of_folders_has_no_order() -> None:
    with pytest.raises(ValueError, match="in a circle: a, b"):
        architecture.ordered({"a": {"b"}, "b": {"a"}, "c": {"a"}})


def test_no_files_import_one_another_in_a_circle() -> None:
    graph = grimp.build_graph(*architecture.PACKAGES, cache_dir=None)
    imports = networkx.DiGraph(
        (module, imported)
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    )
    parts = networkx.strongly_connected_components(imports)
    assert [sorted(part) for part in parts if len(part) > 1] == []


PLANTED = "from orchestration.commands import sql"


@pytest.mark.parametrize(
    "planted",
    [PLANTED, f"from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    {PLANTED}"],
    ids=["at once", "for types alone"],
)
def test_an_import_that_points_upward_is_caught(tmp_path: Path, planted: str) -> None:
    """Planted in a copy of both packages: the lowest folder imports the highest."""
    for package in architecture.PACKAGES:
        for file in (REPOSITORY / package).rglob("*.py"):
            copy = tmp_path / file.relative_to(REPOSITORY)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    (tmp_path / "pyproject.toml").write_bytes((REPOSITORY / "pyproject.toml").read_bytes())
    assert _lint(tmp_path).returncode == 0
    (tmp_path / "orchestration" / "home" / "planted.py").write_text(f"{planted}\n")
    broken = _lint(tmp_path)
    assert broken.returncode == 1
    assert "orchestration.home is not allowed to import orchestration.commands" in broken.stdout


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
