"""The registry of sources: every module in sources/ that has a `SOURCE`, by name.

Adding a source is adding its file; nothing here names one. Databases (sources/sql) are no source of
their own: their tables feed those of folders. Belongs here: which sources there are, and which of
them and which databases the settings switch on. Does not belong here: running them (pipelines.py).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ingestion import sources
from ingestion.apis.source import ApiSource
from ingestion.config import Settings, SourceSettings
from ingestion.files.source import FolderSource
from ingestion.sources.sql.settings import NAME as SQL
from ingestion.sources.sql.settings import SqlSettings, check_tables

Source = FolderSource | ApiSource[Any]


def _discover() -> dict[str, Source]:
    modules = sorted(module.name for module in pkgutil.iter_modules(sources.__path__))
    loaded = (importlib.import_module(f"{sources.__name__}.{name}") for name in modules)
    return {module.SOURCE.name: module.SOURCE for module in loaded if hasattr(module, "SOURCE")}


SOURCES: dict[str, Source] = _discover()


def section_kinds() -> dict[str, type[SourceSettings]]:
    """The class of each section `[sources.NAME]` that the settings may have."""
    return {SQL: SqlSettings, **{name: source.settings for name, source in SOURCES.items()}}


def databases(settings: Settings) -> SqlSettings:
    """The shop's databases.

    Raises:
        UsageError: one of their tables feeds a folder that there is not, or columns it has not.
    """
    section = settings.section(SQL, SqlSettings)
    check_tables(section, (s for s in SOURCES.values() if isinstance(s, FolderSource)))
    return section


def api_sources() -> dict[str, ApiSource[Any]]:
    """The sources that talk to an API, by name."""
    return {name: source for name, source in SOURCES.items() if isinstance(source, ApiSource)}


def accepted_words(source: str, table: str, column: str) -> tuple[str, ...]:
    """The words that a column of a source's table takes; none where it takes any."""
    specs = (spec for spec in SOURCES[source].tables if spec.name == table)
    words = (each.allowed for spec in specs for each in spec.columns if each.name == column)
    return next(words, ())


def is_enabled(name: str, settings: Settings) -> bool:
    """Whether the settings switch this source on."""
    return SOURCES[name].own(settings).is_on


def enabled_sources(settings: Settings) -> list[str]:
    """The names of the sources that the settings switch on, in running order."""
    return [name for name in SOURCES if is_enabled(name, settings)]


def reads_a_shop(settings: Settings, asked: str = "") -> bool:
    """Whether a run has an input, a database, or an API switched on."""
    apis = any(is_enabled(name, settings) for name in api_sources())
    return bool(asked or settings.input or apis or databases(settings).on())


def only_at(
    settings: Settings,
    addresses: Mapping[str, str],
    further: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> Settings:
    """The settings with these API sources on, at these addresses, and every other API and every
    database off.

    The variables that hold their secrets are those that the sources name by default.

    Args:
        settings: a shop's.
        addresses: base addresses by the source's name.
        further: base addresses of a source's further accounts, by its name and theirs.
    """
    apis = {
        name: own.model_copy(
            update={"enabled": True, "base_url": addresses[name], **source.usual_variables()}
            if name in addresses
            else {"enabled": False}
        )
        for name, source in api_sources().items()
        for own in (source.own(settings).only_with(further.get(name, {})),)
    }
    return settings.with_sections({SQL: SqlSettings(), **apis})
