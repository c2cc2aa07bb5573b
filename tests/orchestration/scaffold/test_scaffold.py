"""What `regulars new` makes works as it is: it lints, types, parses and is found."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingestion.apis import paging
from ingestion.apis.source import Pull
from ingestion.config import REPOSITORY
from ingestion.demo.servers import served
from ingestion.errors import SourceError, UsageError
from ingestion.sources.personas import read_persona
from orchestration.scaffold.scaffold import KINDS, MARTS, scaffold, shop_folder
from orchestration.segments.files import check_segment_texts, segment_text

KEY = "k3y-" + "value"
DAY = "2026-06-04T00:00:00Z"

TOOLS = Path(sys.executable).parent
PYTHON_KINDS = ("source", "api source", "destination")
DBT_NAMES = {"source": "small_orders", "api source": "loyal_friends"}


def _run(command: Sequence[str | Path], folder: Path, **environment: str) -> str:
    result = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return result.stdout


def make(kind: str, root: Path, name: str = "big_spenders") -> list[str]:
    """Make it in a folder that has what a repository has: areas of the marts, and their schemas."""
    (root / MARTS / "web").mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / "dbt_project" / "dbt_project.yml", root / "dbt_project")
    return scaffold(kind, name, root, area="web" if kind == "model" else "")


def test_a_persona_that_is_made_can_be_read(tmp_path: Path) -> None:
    lines = scaffold("persona", "warm_cup", shop_folder(f"file://{tmp_path}"))
    assert lines[0] == "Made personas/warm_cup.yml"
    made = (tmp_path / "personas/warm_cup.yml").read_text("utf-8")
    assert read_persona(made)["name"] == "Warm cup"
    with pytest.raises(UsageError, match="already there"):
        scaffold("persona", "warm_cup", tmp_path)


@pytest.mark.parametrize("location", ["", "s3://shop/input", "no-such-folder"])
def test_a_persona_needs_the_folder_of_the_shop(location: str) -> None:
    with pytest.raises(UsageError, match="input folder"):
        shop_folder(location)


def loaded(root: Path, name: str = "big_spenders") -> Any:
    """The Python module that was made."""
    (path,) = root.rglob(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_was_made_and_what_comes_next(tmp_path: Path, kind: str) -> None:
    lines = make(kind, tmp_path)
    made = [line.removeprefix("Made ") for line in lines if line.startswith("Made ")]
    assert made
    assert all((tmp_path / place).read_text("utf-8").strip() for place in made)
    assert re.match(r"Next: \S*bin/regulars (run|plan)", lines[-1])
    assert not any("{" in line for line in lines)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_overwritten(tmp_path: Path, kind: str) -> None:
    lines = make(kind, tmp_path)
    place = tmp_path / lines[0].removeprefix("Made ")
    place.write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="already there; nothing was written"):
        make(kind, tmp_path)
    assert place.read_text("utf-8") == "mine"


def test_a_models_name_is_free_in_the_whole_project() -> None:
    with pytest.raises(UsageError, match="already there"):
        scaffold("model", "dim_customers", area="customers")
    with pytest.raises(UsageError, match="already there"):
        scaffold("segment", "seg_vip")


def test_a_source_that_is_a_package_is_there_too() -> None:
    with pytest.raises(UsageError, match="already there"):
        scaffold("source", "shopify")


@pytest.mark.parametrize(("area", "words"), [("", "belongs to an area"), ("wb", "is no area")])
def test_a_model_needs_an_area_that_there_is(area: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        scaffold("model", "big_spenders", area=area)
    assert "customers, " in caught.value.hint


def test_a_model_of_an_area_with_its_own_schema_is_asked_for_there(tmp_path: Path) -> None:
    make("model", tmp_path, "first")
    (tmp_path / MARTS / "activity").mkdir()
    lines = scaffold("model", "second", tmp_path, area="activity")
    assert "from activity.second" in lines[-1]
    assert (tmp_path / MARTS / "activity" / "second.sql").exists()


def test_a_segment_may_be_named_with_or_without_its_prefix(tmp_path: Path) -> None:
    scaffold("segment", "seg_big_spenders", tmp_path)
    assert (tmp_path / "dbt_project/models/segments/seg_big_spenders.sql").exists()


@pytest.mark.parametrize(
    "name",
    ["", "Big", "big-spenders", "big__spenders", "1st", "a/b", "../x", "ä", "x" * 41],
)
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not a name") as caught:
        scaffold("source", name, tmp_path)
    assert caught.value.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_segment_may_begin_as_another(tmp_path: Path) -> None:
    folder = tmp_path / "dbt_project/models/segments"
    folder.mkdir(parents=True)
    vip = REPOSITORY / "dbt_project/models/segments/seg_vip.sql"
    (folder / "seg_vip.sql").write_text(vip.read_text("utf-8"), "utf-8")
    scaffold("segment", "big_spenders", tmp_path, like="vip")
    text = (folder / "seg_big_spenders.sql").read_text("utf-8")
    assert "'label': 'Big spenders'" in text
    assert "among_best(" in text
    with pytest.raises(UsageError, match="no segment `vp`"):
        scaffold("segment", "others", tmp_path, like="vp")
    assert not (folder / "seg_others.sql").exists()


def test_what_is_made_of_a_segment_says_nothing_wrong(tmp_path: Path) -> None:
    scaffold("segment", "big_spenders", tmp_path)
    path = tmp_path / "dbt_project/models/segments/seg_big_spenders.sql"
    names = {"service_recovery": segment_text("service_recovery")}
    check_segment_texts({"big_spenders": path.read_text("utf-8"), **names}, {})


def test_a_segments_name_that_a_run_would_refuse_is_said_at_once(tmp_path: Path) -> None:
    said = " ".join(scaffold("segment", "diabetes_care", tmp_path))
    assert "will refuse the name `diabetes_care`" in said
    assert "'flagged_themes': {'health': 'why'}" in said
    assert "refuse" not in " ".join(scaffold("segment", "big_spenders", tmp_path))


@pytest.mark.parametrize("name", ["class", "select", "order", "yes", "off", "null"])
def test_a_word_of_a_language_is_refused_and_named_as_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="a word of Python, SQL or YAML"):
        scaffold("source", name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_seeds_name_and_a_segments_are_no_models() -> None:
    with pytest.raises(UsageError, match="already there"):
        scaffold("model", "country_names", area="customers")
    with pytest.raises(UsageError, match="new segment"):
        scaffold("model", "seg_foo", area="customers")


def test_a_folder_that_cannot_be_written_to_leaves_nothing_half_made(tmp_path: Path) -> None:
    staging = tmp_path / "dbt_project/models/staging"
    staging.parent.mkdir(parents=True)
    staging.write_text("a file where a folder should be", "utf-8")
    with pytest.raises(UsageError, match="nothing was made"):
        scaffold("source", "planted", tmp_path)
    assert not list(tmp_path.rglob("planted*"))


def test_only_known_kinds_can_be_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be made"):
        scaffold("dashboard", "x", tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The Python files, by kind."""
    found = {}
    for kind in PYTHON_KINDS:
        root = tmp_path_factory.mktemp("made")
        make(kind, root)
        (found[kind],) = root.rglob("big_spenders.py")
    return found


@pytest.mark.faults
def test_python_that_is_made_passes_lint_and_types(made: dict[str, Path]) -> None:
    settings = REPOSITORY / "pyproject.toml"
    ruff, paths = TOOLS / "ruff", made.values()
    # Where they are made here there are no packages around them.
    alone = ("--ignore", "INP001")
    _run([ruff, "check", "--no-cache", "--config", settings, *alone, *paths], REPOSITORY)
    _run([ruff, "format", "--check", "--no-cache", "--config", settings, *paths], REPOSITORY)
    for path in paths:
        _run([TOOLS / "mypy", "--config-file", settings, path], REPOSITORY)


@pytest.mark.parametrize("kind", ["source", "api source"])
def test_a_source_declares_its_table(tmp_path: Path, kind: str) -> None:
    make(kind, tmp_path)
    source = loaded(tmp_path).SOURCE
    assert source.name == "big_spenders"
    assert [table.name for table in source.tables] == ["big_spenders"]


class Api:
    """An API of the shape that the made source expects: two pages, one key."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pages: dict[str, Any] = {
            "": {"records": [{"record_id": "1", "updated_at": DAY}], "next": "/records?after=1"},
            "1": {"records": [{"record_id": "2", "updated_at": DAY}]},
        }

    def answer(self, request: Request) -> Response:
        if request.headers["authorization"] != f"Bearer {KEY}":
            return Response(status_code=401)
        self.asked.append(request.query_params.get("updated_since", ""))
        return JSONResponse(self.pages[request.query_params.get("after", "")])


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Api, Any, Any]]:
    """The API, the made source's module, and its settings."""
    make("api source", tmp_path)
    module, server = loaded(tmp_path), Api()
    monkeypatch.setenv("BIG_SPENDERS_API_KEY", KEY)
    monkeypatch.setattr(paging, "FIRST_WAIT_SECONDS", 0.001)
    with served(Starlette(routes=[Route("/records", server.answer)])) as url:
        yield server, module, module.BigSpendersSettings(enabled=True, base_url=url)


def test_an_api_source_that_was_just_made_pulls(api: tuple[Api, Any, Any]) -> None:
    server, module, own = api
    state: dict[str, Any] = {}
    request = Pull("big_spenders", own, datetime(2026, 7, 1), state)
    rows = [row for _, rows in module.SOURCE.pull(request) for row in rows]
    assert [row["record_id"] for row in rows] == ["1", "2"]
    list(module.SOURCE.pull(request))
    assert server.asked[::2] == ["2015-01-01T00:00:00Z", "2026-06-01T00:00:00Z"]
    assert [check.status for check in module.SOURCE.check(own)] == ["ok", "ok"]


@pytest.mark.parametrize("page", [{"records": 3}, [], {"records": [], "next": "/records"}])
def test_a_page_that_cannot_be_trusted_fails_the_made_source(
    api: tuple[Api, Any, Any], page: Any
) -> None:
    server, module, own = api
    server.pages["1"] = page
    state: dict[str, Any] = {}
    with pytest.raises(SourceError):
        list(module.SOURCE.pull(Pull("big_spenders", own, datetime(2026, 7, 1), state)))
    assert not state, "the cursor stays where it was"


def test_a_refused_key_is_a_finding_without_the_key(
    api: tuple[Api, Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, module, own = api
    monkeypatch.setenv("BIG_SPENDERS_API_KEY", "another" + KEY)
    found = module.SOURCE.check(own)
    assert [check.status for check in found] == ["ok", "failed"]
    assert KEY not in repr(found)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the dbt project with a new model, a new segment and two new sources in it."""
    root = tmp_path_factory.mktemp("copy")
    skipped = shutil.ignore_patterns("target", "logs", "__pycache__")
    shutil.copytree(REPOSITORY / "dbt_project", root / "dbt_project", ignore=skipped)
    for kind in ("model", "segment"):
        make(kind, root)
    for kind, name in DBT_NAMES.items():
        make(kind, root, name)
    return root / "dbt_project"


def test_models_that_are_made_are_parsed_described_and_tested(project: Path) -> None:
    home = project.parent / "home"
    places = ("--project-dir", project, "--profiles-dir", project, "--target-path", home / "target")
    # As a run does it: what asks something of every segment takes their names from here
    segments = [path.stem[4:] for path in (project / "models" / "segments").glob("seg_*.sql")]
    words = ("--log-path", home / "logs", "--vars", json.dumps({"segments": sorted(segments)}))
    command = [TOOLS / "dbt", "--quiet", "parse", *places, *words]
    _run(command, project, REGULARS_HOME=str(home))
    manifest = json.loads((home / "target" / "manifest.json").read_text("utf-8"))
    nodes = manifest["nodes"]
    model = nodes["model.regulars.big_spenders"]
    segment = nodes["model.regulars.seg_big_spenders"]
    assert (model["schema"], segment["schema"]) == ("marts", "segments")
    names = {"model.regulars.big_spenders", "model.regulars.seg_big_spenders"}
    for name in DBT_NAMES.values():
        staging = f"model.regulars.stg_{name}__{name}"
        names.add(staging)
        assert nodes[staging]["schema"] == "staging"
        raw = f"source.regulars.raw_{name}.{name}"
        assert raw in nodes[staging]["depends_on"]["nodes"]
        assert manifest["sources"][raw]["schema"] == f"raw_{name}"
    assert all(nodes[name]["description"].startswith("One row per") for name in names)
    assert segment["config"]["meta"]["segment"]["label"] == "Big spenders"
    tested = {
        p for n in nodes.values() if n["resource_type"] == "test" for p in n["depends_on"]["nodes"]
    }
    assert names <= tested


def test_sql_that_is_made_passes_lint(project: Path) -> None:
    names = ("big_spenders", *DBT_NAMES.values())
    made = sorted(
        path.relative_to(project) for name in names for path in project.rglob(f"*{name}.sql")
    )
    assert len(made) == 4
    for name in ("pyproject.toml", ".sqlfluff"):
        if (REPOSITORY / name).exists():
            shutil.copyfile(REPOSITORY / name, project.parent / name)
    _run([TOOLS / "sqlfluff", "lint", "--disable-progress-bar", *made], project)
