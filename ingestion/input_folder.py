"""The folder that a run reads: opened once it is sure that it can be, and what its files are.

Belongs here: what is to be known of the whole folder before any source is read. Does not belong
here: reading it (`pipelines.py`), looking through it (`check.py`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ingestion.config import Settings
from ingestion.errors import NoInputError
from ingestion.files.folder import UNKNOWN, InputFile, InputFolder
from ingestion.files.recognised.registry import (
    EXPORTS,
    advice_for,
    check_names,
    export_of,
    refuse_unclear,
    refuse_unread_refusals,
)
from ingestion.files.source import FolderSource
from ingestion.landing.batch import ARRIVED
from ingestion.registry import SOURCES, enabled_sources

NAMED_FILES = 3  # of those that a run tells of


def open_input(location: str | Path, settings: Settings) -> InputFolder:
    """The input folder, if it holds anything that an enabled source can read.

    Raises:
        NoInputError: there is no such folder, or no readable file in it.
        UsageError: what a file is cannot be told.
        RegularsError: a file that no source reads may hold refusals.
    """
    named = tuple(settings.recognised.items())
    check_names(named)
    folder = replace(InputFolder.at(location), zone=settings.shop.timezone, names=named)
    folder = replace(folder, shops=shop_patterns(settings))
    refuse_unclear(folder)
    refuse_unread_refusals(folder, _locations())
    sources = folder_sources(settings)
    if not any(_readable(source, folder) for source in sources):
        names = ", ".join(source.name for source in sources)
        raise NoInputError(
            f"There is nothing to read in {location}: no file for {names}.{_seen(folder)}",
            "See docs/formats.md for the layout; files end in .jsonl, .json, .csv or .parquet, "
            "plain, .gz or .zst.",
        )
    return folder


def _locations() -> list[str]:
    """Where files of our layout lie; a source that is switched off was not overlooked."""
    of_files = [source for source in SOURCES.values() if isinstance(source, FolderSource)]
    return [source.location or source.name for source in of_files]


def _seen(folder: InputFolder) -> str:
    """The files that lie there and are nobody's, with what to do, or where files of orders
    belong."""
    paths = [file.path for file in folder.everything]
    if not paths:
        return ""
    advice = _advice(folder, folder.everything)
    if advice:
        return "".join(f" {sentences}" for sentences in advice)
    more = f" and {len(paths) - NAMED_FILES:,} more" if len(paths) > NAMED_FILES else ""
    return (
        f" There is {', '.join(paths[:NAMED_FILES])}{more}, which no source reads"
        " there: put a file of orders into orders/, with a mapping.yml that says which column is"
        " which."
    )


def check_input(location: str | Path, settings: Settings) -> InputFolder:
    """The input folder, once it is sure that it can be used as it stands.

    Raises:
        NoInputError: there is no such folder, or no readable file in it.
        UsageError: a mapping is wrong.
    """
    folder = open_input(location, settings)
    for source in folder_sources(settings):
        if source.mapped:
            source.mapped(folder)
    return folder


def shop_patterns(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Which further shop a file is of, by patterns of paths of which the first counts: what came by
    webhook is of its sender's shop, whatever the patterns of files say."""
    arrived = [(f"{ARRIVED}*/{name}/*", own.shop) for name, own in settings.webhooks.items()]
    return (*arrived, (f"{ARRIVED}*", ""), *settings.shop_files.items())


def with_inbox(folder: InputFolder | None, inbox: Path, settings: Settings) -> InputFolder | None:
    """The folder a run reads, with the files of the home's inbox beside it; without an input they
    are all there is."""
    if not inbox.is_dir():
        return folder
    opened = folder or replace(InputFolder.nowhere(), zone=settings.shop.timezone)
    return replace(opened, inbox=str(inbox), shops=shop_patterns(settings))


def said_of_input(folder: InputFolder, settings: Settings) -> list[str]:
    """What the files were taken for that lie there as a system wrote them, and which are read by
    nobody; a sentence each."""
    by_export: dict[str, list[str]] = {}
    nobodys: list[InputFile] = []
    sources = folder_sources(settings)
    read = {file.path for source in sources for file in source.files(folder)}
    for file in folder.everything:
        export = export_of(folder, file)
        if export:
            by_export.setdefault(export.name, []).append(file.path)
        elif file.path not in read and file.format != UNKNOWN:
            nobodys.append(file)
    sentences = []
    for name, paths in sorted(by_export.items()):
        tables = dict.fromkeys(f"{feed.source}/{feed.table}" for feed in EXPORTS[name].feeds)
        sentences.append(f"{EXPORTS[name].title}: {_few(paths)} -> {', '.join(tables)}.")
    sentences += _advice(folder, nobodys)
    if unknown := [file.path for file in nobodys if not advice_for(folder, file)]:
        sentences.append(
            f"In no folder that is read, and no export that is known: {_few(unknown)}. "
            "See docs/formats.md."
        )
    return sentences


def _advice(folder: InputFolder, files: list[InputFile]) -> list[str]:
    """What to do about files that no source reads, where their beginning says it."""
    by_advice: dict[str, list[str]] = {}
    for file in files:
        if advice := advice_for(folder, file):
            by_advice.setdefault(advice, []).append(file.path)
    return [f"Not read: {_few(paths)}. {advice}" for advice, paths in by_advice.items()]


def _few(paths: list[str]) -> str:
    more = len(paths) - NAMED_FILES
    return ", ".join(paths[:NAMED_FILES]) + (f" and {more:,} more" if more > 0 else "")


def folder_sources(settings: Settings) -> list[FolderSource]:
    """The sources that read files and are switched on, in running order."""
    return [
        source
        for name in enabled_sources(settings)
        if isinstance(source := SOURCES[name], FolderSource)
    ]


def _readable(source: FolderSource, folder: InputFolder) -> bool:
    return any(file.format != UNKNOWN for file in source.files(folder))
