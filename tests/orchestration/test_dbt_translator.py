"""Where Dagster shows the models: about ten groups, and the steps of identity by a tag."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ingestion.config import REPOSITORY
from orchestration.defs.asset_pages import page_of
from orchestration.defs.dbt_translator import GROUPS, IDENTITY_STEP, Translator
from orchestration.serve.pages.site import PAGES as SITE

MODELS = REPOSITORY / "dbt_project" / "models"
FILES = sorted(MODELS.rglob("*.sql"))


def properties(path: Path) -> dict[str, Any]:
    """What dbt's manifest says of a model in this file, as far as the translator asks."""
    parts = path.relative_to(MODELS).with_suffix("").parts
    return {
        "resource_type": "model",
        "name": path.stem,
        "fqn": ["regulars", *parts],
        "tags": ["daily"],
    }


def steps_of_the_page() -> list[str]:
    """The folders that docs/identity.md names, in its order."""
    page = (REPOSITORY / "docs" / "identity.md").read_text("utf-8")
    named = re.search(r"Each step has a folder under .*?: (.*?) for what one run", page, re.DOTALL)
    assert named
    return re.findall(r"`(\w+)`", named.group(1))


def test_every_model_is_in_one_of_about_ten_groups() -> None:
    groups = {path.stem: Translator().get_group_name(properties(path)) for path in FILES}
    assert [name for name, group in groups.items() if group is None] == []
    assert set(groups.values()) == set(GROUPS.values())
    assert len(set(groups.values())) <= 10


def test_a_model_of_identity_says_which_step_of_the_page_it_belongs_to() -> None:
    identity = [path for path in FILES if path.parent.parent.name == "identity"]
    tags = {path: Translator().get_tags(properties(path)) for path in identity}
    assert all(Translator().get_group_name(properties(path)) == "identity" for path in identity)
    assert all(tags[path] == {"daily": "", IDENTITY_STEP: path.parent.name} for path in identity)
    assert {path.parent.name for path in identity} == set(steps_of_the_page())


@pytest.mark.parametrize("folder", ["intermediate/identity_review", "marts/customers", "staging"])
def test_no_other_model_has_a_step_of_identity(folder: str) -> None:
    files = sorted((MODELS / folder).rglob("*.sql"))
    assert files
    assert all(Translator().get_tags(properties(path)) == {"daily": ""} for path in files)


def test_a_model_has_the_page_that_shows_it() -> None:
    paths = {view.path for page in SITE for view in page.views} | {"/"}
    pages = {path.stem: page_of(properties(path)) for path in FILES}
    assert pages["seg_vip"] == "/segments/vip"
    assert pages["rpt_attribution"] == "/works"
    assert pages["dim_customers"] == "/customers"
    addresses = {page for page in pages.values() if page and not page.startswith("/segments/")}
    assert addresses
    assert addresses <= paths
    metadata = Translator().get_metadata(properties(MODELS / "segments" / "seg_vip.sql"))
    assert metadata["page"] == dg.MetadataValue.url("/segments/vip")
    assert page_of({**properties(FILES[0]), "resource_type": "source"}) is None
