"""`contacts/mapping.yml` and `consents/mapping.yml`: which column of a shop's own list means what.

A file that has all headers that the mapping names is read by it, as an export is read by its
declaration; any other file of the folder is read in our own layout. A mapping that fits no file
stops the run.

Belongs here: the shape of such a mapping, and the source that follows from it. Does not belong
here: the mapping of order lines (`sources/orders`), which says returns and money besides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field, field_validator

from ingestion.config import ZoneName
from ingestion.duckdb import literal
from ingestion.errors import UsageError
from ingestion.files.beginning import beginning_of
from ingestion.files.folder import InputFile, InputFolder
from ingestion.files.mapping_file import (
    CLEAN_UPS,
    CleanUp,
    Part,
    at_line,
    no_bare_yes_or_no,
    read_mapping_file,
    unfit,
)
from ingestion.files.recognised.export import Export, Feed, Translation
from ingestion.files.source import FolderSource, TableInput, header_check
from ingestion.landing.fields import DAY_TYPES, TableSpec

Header = Annotated[str, Field(min_length=1, pattern=r"^[^\[\]]+$")]


class ListMapping(Part):
    """The whole file.

    Args:
        columns: our columns and the headers they stand under.
        constants: our columns that are the same for every row.
        clean: clean-ups of values, by our column.
        formats: strptime patterns of dates, by our column.
        words: what a word in the file is called here, by our column; compared without case.
        timezone: of times written without an offset.
    """

    columns: dict[str, Header]
    constants: dict[str, str] = Field(default_factory=dict)
    clean: dict[str, CleanUp] = Field(default_factory=dict)
    formats: dict[str, str] = Field(default_factory=dict)
    words: dict[str, dict[str, str]] = Field(default_factory=dict)
    timezone: ZoneName | None = None

    _bare = field_validator("columns", mode="before")(no_bare_yes_or_no)


def mapped_list(
    name: str,
    description: str,
    spec: TableSpec,
    one_of: tuple[str, ...] = (),
    ends: tuple[str, ...] = (),
) -> FolderSource:
    """The source of a folder of lists that may have a mapping.

    Args:
        name: the source's name, and its folder's.
        description: what it is, for people.
        spec: its one table.
        one_of: columns of which a mapping must name one.
        ends: timestamps at which something ends; a day without a time is the shop's midnight.
    """
    path = f"{name}/mapping.yml"

    def mapping(folder: InputFolder) -> tuple[ListMapping, str] | None:
        text = folder.text(path)
        return None if text is None else (_read(text, path, spec, one_of), text)

    def in_shop_zone(folder: InputFolder) -> TableSpec:
        return _ending_at_midnight(spec, ends, folder.zone)

    def route(
        folder: InputFolder, files: list[InputFile], was_read_before: bool
    ) -> list[TableInput]:
        mapping_and_text = mapping(folder)
        own = in_shop_zone(folder)
        if mapping_and_text is None:
            return [TableInput(own, files, header_check(own))]
        return _routed(folder, files, own, path, mapping_and_text, was_read_before)

    return FolderSource(
        name,
        description,
        (spec,),
        router=route,
        settings_file=path,
        # Rows in quarantine stand under our names already.
        mapped=lambda folder: in_shop_zone(folder) if mapping(folder) else None,
    )


def _ending_at_midnight(spec: TableSpec, ends: tuple[str, ...], zone: str) -> TableSpec:
    """The table, whose days that end something begin in the shop's zone."""
    if not ends:
        return spec
    columns = (
        replace(each, own_day_zone=zone) if each.name in ends else each for each in spec.columns
    )
    return replace(spec, columns=tuple(columns))


def _read(text: str, path: str, spec: TableSpec, one_of: tuple[str, ...]) -> ListMapping:
    """The mapping, once it is sure that it speaks of the table's columns.

    Raises:
        UsageError: which key is wrong, and on which line.
    """
    mapping = read_mapping_file(text, path, ListMapping)
    known = {column.name for column in spec.columns if column.stored}
    days = {column.name for column in spec.columns if column.type in DAY_TYPES}
    for part in ("columns", "constants", "clean", "formats", "words"):
        for column in getattr(mapping, part):
            if column not in (days if part == "formats" else known):
                setting = f"{part}.{column}"
                allowed = sorted(days if part == "formats" else known)
                raise UsageError(
                    f"{path}{at_line(text, setting)}: `{setting}` is none of our columns.",
                    f"Write one of: {', '.join(allowed)}. Other columns are kept by themselves.",
                )
    filled = {*mapping.columns, *mapping.constants}
    needed = [column.name for column in spec.columns if column.required]
    missing = [column for column in needed if column not in filled]
    if one_of and not filled & set(one_of):
        missing.append(" or ".join(one_of))
    if missing:
        raise UsageError(
            f"{path} does not say where {', '.join(missing)} stands.",
            "Name its header under `columns`, or what holds for every row under `constants`.",
        )
    return mapping


def _routed(
    folder: InputFolder,
    files: list[InputFile],
    spec: TableSpec,
    path: str,
    mapping_and_text: tuple[ListMapping, str],
    was_read_before: bool,
) -> list[TableInput]:
    mapping, text = mapping_and_text
    headed = [file for file in files if file.format in ("csv", "parquet")]
    lacking = {file.path: _lacking(folder, file, mapping) for file in headed}
    fitting = [file for file in headed if lacking[file.path] == ""]
    if headed and not fitting and not was_read_before:
        file = headed[0]
        beginning = beginning_of(folder, file)
        key = lacking[file.path]
        if beginning is not None and key:
            column = mapping.columns[key]
            raise unfit(text, path, f"columns.{key}", column, file.path, beginning.header)
    export = as_export(spec, path, mapping, path.partition("/")[0])
    translation = Translation(export, export.feeds[0], mapping.timezone or folder.zone)
    others = [file for file in files if file not in fitting]
    return [
        TableInput(spec, others, header_check(spec)),
        TableInput(spec, fitting, lambda *_: None, translation=translation),
    ]


def _lacking(folder: InputFolder, file: InputFile, mapping: ListMapping) -> str | None:
    """Our column whose header the file does not have; empty where it has all, None if unknown."""
    beginning = beginning_of(folder, file)
    if beginning is None:
        return None
    return next((o for o, header in mapping.columns.items() if header not in beginning.header), "")


def as_export(
    spec: TableSpec, path: str, mapping: ListMapping, source: str, leaves: tuple[str, ...] = ()
) -> Export:
    """What a mapping makes of rows under other headers: rows of the table in our own layout.

    Args:
        spec: the table.
        path: where the mapping stands, for people.
        mapping: what is which.
        source: the source that has the table.
        leaves: headers that never become attributes.
    """
    columns = {column: literal(text) for column, text in mapping.constants.items()}
    for column, header in mapping.columns.items():
        columns[column] = _expression(spec, mapping, column, header)
    feed = Feed(source, spec.name, columns, keeps_others=bool(spec.attributes), leaves=leaves)
    required = tuple(dict.fromkeys(mapping.columns.values()))
    return Export(path, f"{source}/{spec.name} by {path}", required, (feed,), point=False)


def _expression(spec: TableSpec, mapping: ListMapping, column: str, header: str) -> str:
    text = f"@[{header}]"
    clean = mapping.clean.get(column)
    if clean:
        text = CLEAN_UPS[clean].replace("{v}", text)
    words = mapping.words.get(column)
    if words:
        whens = " ".join(
            f"when {literal(theirs.strip().lower())} then {literal(ours)}"
            for theirs, ours in words.items()
        )
        text = f"case lower(trim({text})) {whens} else {text} end"
    kind = next(each.type for each in spec.columns if column in (each.name, *each.paths))
    pattern = mapping.formats.get(column)
    if pattern:
        read = f"try_strptime({text}, {literal(pattern)})"
        offset = "Z" if "%z" in pattern.lower() else ""
        form = "%Y-%m-%d" if kind == "date" else f"%Y-%m-%dT%H:%M:%S{offset}"
        text = f"coalesce(strftime({read}, {literal(form)}), {text})"
    if kind == "timestamp" and mapping.timezone:
        text = f"{text} || '[' || {literal(mapping.timezone)} || ']'"
    return text
