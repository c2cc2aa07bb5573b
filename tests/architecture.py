"""The folders of the two packages and who imports whom, as docs/architecture.md shows them.

`python -m tests.architecture` writes the part of the page between its two marks anew.

Belongs here: reading the import graph and writing that part. Does not belong here: which imports
are allowed; that is `[tool.importlinter]` in pyproject.toml.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import grimp

from ingestion.config import REPOSITORY

PAGE = REPOSITORY / "docs" / "architecture.md"
BEGIN = "<!-- drawn by `python -m tests.architecture`: begin -->"
END = "<!-- drawn by `python -m tests.architecture`: end -->"
PACKAGES = ("ingestion", "orchestration")


def imports() -> dict[str, set[str]]:
    """Each folder (or loose module) of the packages, and those that it imports directly."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    units = sorted({_unit(module) for module in graph.modules if "." in module})
    found: dict[str, set[str]] = {unit: set() for unit in units}
    for module in graph.modules:
        if "." not in module:
            continue
        for imported in graph.find_modules_directly_imported_by(module):
            if "." in imported and _unit(imported) != _unit(module):
                found[_unit(module)].add(_unit(imported))
    return found


def drawing(found: Mapping[str, set[str]]) -> str:
    """The imports as a table, folders that import most before those that they rest on."""
    lines = ["| folder | what it is for | imports |", "|---|---|---|"]
    for unit in ordered(found):
        package = unit.split(".", maxsplit=1)[0]
        near = sorted(other.split(".")[1] for other in found[unit] if other.startswith(package))
        far = sorted(f"`{o.replace('.', '/')}`" for o in found[unit] if not o.startswith(package))
        names = ", ".join([f"`{name}`" for name in near] + far) or "–"
        lines.append(f"| `{_path_of(unit)}` | {_purpose(unit)} | {names} |")
    return "\n".join(lines)


def ordered(found: Mapping[str, set[str]]) -> list[str]:
    """Folders so that each stands above all that it imports; by name where both ways are right.

    Raises:
        ValueError: folders import one another in a circle.
    """
    left = dict(found)
    rows: list[str] = []
    while left:
        free = sorted(
            u for u in left if not any(u in others for o, others in left.items() if o != u)
        )
        if not free:
            raise ValueError(f"these import one another in a circle: {', '.join(sorted(left))}")
        rows += free
        left = {unit: others for unit, others in left.items() if unit not in free}
    return [unit for package in reversed(PACKAGES) for unit in rows if unit.startswith(package)]


def page() -> str:
    """docs/architecture.md with its drawn part as the imports are now."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{drawing(imports())}\n{END}{after}"


def _unit(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _path_of(unit: str) -> str:
    path = unit.replace(".", "/")
    return f"{path}/" if (REPOSITORY / path).is_dir() else f"{path}.py"


def _purpose(unit: str) -> str:
    place = REPOSITORY / _path_of(unit)
    source = (place / "__init__.py" if place.is_dir() else place).read_text("utf-8")
    paragraph = (ast.get_docstring(ast.parse(source)) or "").split("\n\n", maxsplit=1)[0]
    return " ".join(paragraph.split()).removesuffix(".")


if __name__ == "__main__":
    Path(PAGE).write_text(page(), "utf-8")
