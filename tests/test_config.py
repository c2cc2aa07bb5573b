"""The settings file: what is accepted, and the sentence for what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.config import REPOSITORY, load_settings
from ingestion.errors import UsageError


def write(folder: Path, text: str) -> Path:
    path = folder / "regulars.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_shipped_file_is_valid() -> None:
    settings = load_settings(REPOSITORY / "regulars.toml")
    assert settings.shop.currency == "GBP"
    assert settings.destinations["file"].send is False, "nothing may leave by itself"


def test_an_empty_file_has_safe_defaults(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, ""))
    assert not settings.sources.klaviyo.enabled
    assert not settings.schedule.daily


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[shop]\ntimezon = 'UTC'", "shop.timezon"),
        ("[shop]\ntimezone = 'Mars/Olympus'", "shop.timezone"),
        ("[shop]\ncurrency = 'pounds'", "shop.currency"),
        ("[sources.klavijo]\nenabled = true", "sources.klavijo"),
        ("[sources.klaviyo]\nenabled = 'perhaps'", "sources.klaviyo.enabled"),
        ("[breaker]\nmax_shrink = 7", "breaker.max_shrink"),
        ("[schedule]\ndaily_at = '25:00'", "schedule.daily_at"),
        ("[destinations.file]\nknd = 'file'", "destinations.file.knd"),
    ],
)
def test_a_typo_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(UsageError, match=named) as caught:
        load_settings(write(tmp_path, text))
    assert caught.value.exit_code == 2


def test_an_unknown_key_comes_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"known here: .*timezone"):
        load_settings(write(tmp_path, "[shop]\ntimezon = 'UTC'"))


@pytest.mark.parametrize("text", ["[shop", "shop = = 1", "\x00"])
def test_broken_toml_is_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="not valid TOML"):
        load_settings(write(tmp_path, text))


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_settings(tmp_path / "nowhere.toml")


def test_a_deep_file_is_a_sentence(tmp_path: Path) -> None:
    text = "models = {a = " + "[" * 5000 + "]" * 5000 + "}"
    with pytest.raises(UsageError, match=r"nested too deeply|not valid TOML"):
        load_settings(write(tmp_path, text))


@pytest.mark.parametrize("name", ["../../evil", "a/b", ".", "A", "a b", "x" * 65, ""])
def test_a_destination_is_named_in_plain_letters(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="destinations"):
        load_settings(write(tmp_path, f'[destinations."{name}"]\nkind = "file"'))
