"""Which exports there are, and what a file of the input is taken for.

Every module beside this one that has `EXPORTS` is known, nothing names one; files of its `UNREAD`
are named to people with what to do. A file is known by its first row or document, wherever it lies.
Where a folder's `mapping.yml` names headers that the file has, the mapping holds; where several
exports fit, that with the most headers; where none has more, a name in the settings decides.

Belongs here: finding and choosing. Does not belong here: what an export means (its own file).
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import yaml

from ingestion.errors import RegularsError, UsageError
from ingestion.files import recognised
from ingestion.files.beginning import Beginning, beginning_of
from ingestion.files.folder import UNKNOWN, InputFile, InputFolder
from ingestion.files.recognised.export import Export, UnreadExport
from ingestion.landing.batch import ARRIVED
from ingestion.landing.judging import normal

OUR_LAYOUT = "none"  # in the settings: the file is of no system's making
# Headers of columns in which people agree or refuse; counts of a campaign's refusals are none.
OF_CONSENT = re.compile(
    r"consent|einwillig|toestemming|samtyck|samtykke"
    r"|unsubscribed?\b(?! (rate|count))|\bsubscribed\b|suppress(ed|ion)|newsletter"
    r"|\bopt(ed)? ?(in|out)\b|accepts?\b.*\bmarketing|do not (contact|email|mail|call|sms|sell)"
    r"|abmeldung|abgemeldet|abbestellt|widerruf|widerspruch|werbesperre|sperrliste"
    r"|d[ée]sabonn|d[ée]sinscri|disiscri|\bconsenso|\bconsentimiento|\bbaja\b"
    r"|afgemeld|uitgeschreven|avregistrer|afmeld|rezygnacja|\bzgoda\b"
)


def _declared(what: str) -> list[Any]:
    """What every module beside this one says under a name."""
    modules = sorted(module.name for module in pkgutil.iter_modules(recognised.__path__))
    loaded = (importlib.import_module(f"{recognised.__name__}.{name}") for name in modules)
    return [each for module in loaded for each in getattr(module, what, ())]


EXPORTS: dict[str, Export] = {export.name: export for export in _declared("EXPORTS")}
UNREAD: tuple[UnreadExport, ...] = tuple(_declared("UNREAD"))


def export_of(folder: InputFolder, file: InputFile) -> Export | None:
    """The export that a file is; None where it is none, or a mapping says what it is."""
    names = exports_of(folder, file)
    return EXPORTS[names[0]] if len(names) == 1 else None


def exports_of(folder: InputFolder, file: InputFile) -> list[str]:
    """The exports that a file may be, by name: more than one where the settings have to say it."""
    if file.problem or file.format == UNKNOWN or not file.size or file.path.startswith(ARRIVED):
        return []
    export = _name_in_settings(folder, file)
    if export is not None:
        return [export] if export in EXPORTS else []
    beginning = beginning_of(folder, file)
    if beginning is None or not (names := _fitting(beginning, file.path)):
        return []
    return [] if _is_mapped(folder, file, beginning) else names


def advice_for(folder: InputFolder, file: InputFile) -> str:
    """What to do about a file that is no export to be read, where its beginning says it: it is an
    export of another form, or in no encoding that is read. Empty where it says nothing."""
    if file.problem or file.format == UNKNOWN or not file.size or exports_of(folder, file):
        return ""
    beginning = beginning_of(folder, file)
    if beginning is None or _name_in_settings(folder, file) or _is_mapped(folder, file, beginning):
        return ""
    if beginning.problem == "wrong_encoding":
        return "It is UTF-16 or no text: save it as UTF-8."
    known = next((each for each in UNREAD if each.fits(beginning.header)), None)
    return f"It looks like {known.title}. {known.instead}" if known else ""


def refuse_unclear(folder: InputFolder) -> None:
    """Refuse a folder with a file that may be one export or another.

    Raises:
        UsageError: which file, what it may be, and what to write.
    """
    for file in folder.everything:
        names = exports_of(folder, file)
        if len(names) > 1:
            titles = " or a ".join(EXPORTS[name].title for name in names)
            raise UsageError(
                f"{file.path} may be a {titles}.",
                f'Say which under [recognised] in regulars.toml: "{file.path}" = "{names[0]}".',
            )


def refuse_unread_refusals(folder: InputFolder, locations: Iterable[str]) -> None:
    """Refuse a folder with a file that may hold refusals and is read by nobody: who said no in it
    would be written to.

    Args:
        locations: folders and files below the input folder that a source reads, on or off.

    Raises:
        RegularsError: which file, which column, and what to do with it.
    """
    read = tuple(locations)
    for file in folder.everything:
        top = file.path.split("/", 1)[0]
        if top in read or exports_of(folder, file) or _name_in_settings(folder, file):
            continue
        if column := _consent_column(folder, file):
            raise RegularsError(
                f"{file.path} may hold refusals (its column {column!r}) and no source reads it.",
                "Put it into the folder of its kind (contacts/ or consents/ for people, orders/ for"
                " orders), with a mapping.yml where its headers are not"
                f' ours, or write "{file.path}" = "{OUR_LAYOUT}" under [recognised] in'
                " regulars.toml if nobody refuses anything in it.",
            )


def _consent_column(folder: InputFolder, file: InputFile) -> str:
    """The first header of the file that speaks of consent; empty where none does."""
    if file.problem or file.format == UNKNOWN or not file.size:
        return ""
    beginning = beginning_of(folder, file)
    header = beginning.header if beginning else ()
    return next((name for name in header if OF_CONSENT.search(_words(name))), "")


def _words(header: str) -> str:
    """A header's words in lower case with blanks between: `acceptsMarketing` has two."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    return re.sub(r"[\W_]+", " ", parted).lower().strip()


def check_names(names: Iterable[tuple[str, str]]) -> None:
    """Refuse a name in the settings that no export has.

    Raises:
        UsageError: which name, and the known ones.
    """
    for pattern, name in names:
        if name != OUR_LAYOUT and name not in EXPORTS:
            known = ", ".join((*EXPORTS, OUR_LAYOUT))
            raise UsageError(
                f'[recognised] calls "{pattern}" {name!r}, which is no export that is known.',
                f"Write one of: {known}.",
            )


def _name_in_settings(folder: InputFolder, file: InputFile) -> str | None:
    """What the settings say of the file."""
    names = (name for pattern, name in folder.names if fnmatchcase(file.path, pattern))
    return next(names, None)


@lru_cache(maxsize=100_000)
def _fitting(beginning: Beginning, path: str) -> list[str]:
    """The exports that fit, without those of which another one that fits is a special case."""
    fitting = [
        export
        for export in EXPORTS.values()
        if export.fits(beginning.header, path) or export.headers_of(beginning.line)
    ]
    most = max((len(export.required) for export in fitting), default=0)
    return [export.name for export in fitting if len(export.required) == most]


def _is_mapped(folder: InputFolder, file: InputFile, beginning: Beginning) -> bool:
    """Whether the mapping of the file's folder names headers that the file has, all of them."""
    top = file.path.split("/", 1)[0]
    content = _mapping(folder, f"{top}/mapping.yml") if "/" in file.path else None
    columns = content.get("columns") if isinstance(content, dict) else None
    of_shops = content.get("for_shop") if isinstance(content, dict) else None
    own = of_shops.get(file.shop) if isinstance(of_shops, dict) else None
    columns = own.get("columns", columns) if isinstance(own, dict) else columns
    if not isinstance(columns, dict) or not columns:
        return False
    there = {normal(header) for header in beginning.header}
    return all(normal(str(header)) in there for header in columns.values())


def _mapping(folder: InputFolder, path: str) -> Any:
    """What a mapping says; a mistake in it is told by whoever reads it in earnest."""
    try:
        return yaml.safe_load(folder.text(path) or "")
    except (yaml.YAMLError, RecursionError, UsageError):
        return None
