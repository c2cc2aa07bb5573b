"""The settings file: what is accepted, and the sentence for what is not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.apis.source import ApiSource, Page, Pull
from ingestion.config import REPOSITORY, ApiSettings, Settings
from ingestion.errors import UsageError
from ingestion.registry import (
    SOURCES,
    api_sources,
    enabled_sources,
    is_enabled,
    only_at,
    reads_a_shop,
)
from ingestion.settings_file import load_settings


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
    assert not any(is_enabled(name, settings) for name in api_sources())
    assert not settings.schedule.daily


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[shop]\ntimezon = 'UTC'", "shop.timezon"),
        ("[shop]\ntimezone = 'Mars/Olympus'", "shop.timezone"),
        ("[shop]\ncurrency = 'pounds'", "shop.currency"),
        ("[sources.klavijo]\nenabled = true", "sources.klavijo"),
        ("[sources.klaviyo]\nenabled = 'perhaps'", "sources.klaviyo.enabled"),
        (
            "[sources.klaviyo]\napi_kee_env = 'X'",
            "sources.klaviyo.api_kee_env.*known here:.*revision",
        ),
        ("[sources.web]\nbase_url = 'x'", "sources.web.base_url"),
        ("[sources]\nweb = false", "sources.web"),
        ("sources = 3", "sources"),
        ("[breaker]\nmax_shrink = 7", "breaker.max_shrink"),
        ("[schedule]\ndaily_at = '25:00'", "schedule.daily_at"),
        ("[backup]\nfolder = 'backups'", "backup.folder.*not a whole path"),
        ("[backup]\nfolder = '/b'\nkeep_daily = 0", "backup.keep_daily"),
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


def test_a_source_of_the_shops_own_has_its_own_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an API source is told stands in its file alone: the settings ask the registry."""

    class LoyaltySettings(ApiSettings):
        base_url: str = "https://loyalty.example"
        api_key_env: str = "LOYALTY_API_KEY"

    def pull(_: Pull[LoyaltySettings]) -> Iterator[Page]:
        yield from ()

    source = ApiSource("loyalty", "Points.", (), LoyaltySettings, pull, lambda _own: [])
    monkeypatch.setitem(SOURCES, "loyalty", source)
    text = "[sources.loyalty]\nenabled = true\napi_key_env = 'OURS'"
    settings = load_settings(write(tmp_path, text))
    assert source.own(settings) == LoyaltySettings(enabled=True, api_key_env="OURS")
    assert "loyalty" in enabled_sources(settings)
    assert reads_a_shop(settings)
    with pytest.raises(UsageError, match=r"sources.loyalty.api_key.*known here:.*api_key_env"):
        load_settings(write(tmp_path, "[sources.loyalty]\napi_key = 'OURS'"))
    pretend = only_at(settings, {"shopify": "http://127.0.0.1:9"})
    assert not is_enabled("loyalty", pretend), "the pretend shop does not serve it"


def test_the_pretend_shops_sources_take_its_address_and_its_keys() -> None:
    shopify = SOURCES["shopify"]
    ours = {"base_url": "https://ours.example", "client_secret_env": "OURS", "lateness_hours": 5}
    settings = Settings(sources={"shopify": shopify.settings.model_validate(ours)})
    found = shopify.own(only_at(settings, {"shopify": "http://127.0.0.1:9"})).model_dump()
    assert found["enabled"]
    assert found["base_url"] == "http://127.0.0.1:9"
    assert found["client_secret_env"] == "SHOPIFY_CLIENT_SECRET"
    assert found["lateness_hours"] == 5


def test_of_further_shops_only_those_that_are_served_are_asked() -> None:
    shopify = SOURCES["shopify"]
    ours = {"enabled": True, "base_url": "https://ours.example", "client_secret_env": "OURS"}
    further = {name: ours | {"base_url": f"https://{name}.example"} for name in ("outlet", "third")}
    settings = Settings(sources={"shopify": shopify.settings.model_validate(ours | further)})
    main, outlet = "http://127.0.0.1:9", "http://127.0.0.1:10"
    found = shopify.own(only_at(settings, {"shopify": main}, {"shopify": {"outlet": outlet}}))
    accounts = found.model_dump()["shops"]
    assert list(accounts) == ["outlet"]
    assert accounts["outlet"]["enabled"]
    assert accounts["outlet"]["base_url"] == outlet
    assert accounts["outlet"]["client_secret_env"] == "SHOPIFY_OUTLET_CLIENT_SECRET"
    with pytest.raises(ValueError, match="no further accounts"):
        only_at(settings, {"klaviyo": main}, {"klaviyo": {"outlet": outlet}})


def test_reading_the_settings_does_not_load_dlt() -> None:
    """It takes a second, and every command reads the settings."""
    code = "import sys, ingestion.settings_file; sys.exit('dlt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
