"""When so much of a source cannot be used that its run stops (RELIABILITY B2).

Three rules, each with its setting under `[quarantine]`: a share of a large source, more than half
of a source of any size, and a whole file. One bad line among good ones never stops anything, and
neither does a file of another kind or layout that lies among good ones of the source: it is put
aside and named. What came by a webhook is no whole file: one bad event of a sender stops no run.

Belongs here: the rules and their sentences. Does not belong here: judging rows, counting them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from ingestion.config import Quarantine
from ingestion.errors import SourceError
from ingestion.landing.batch import ARRIVED, PULLED

Problem = tuple[str, str]  # a reason code and the column it was found in
# Reasons for which a file is refused by its beginning: it may be none of the source's at all.
ANOTHER_LAYOUT = (
    "wrong_encoding",
    "missing_column",
    "no_header",
    "duplicate_column",
    "ambiguous_number",
)
NO_FILE = ("not a file", "a link to a folder")  # how the folder's words for such things end

# What to do about a reason, where the reason alone does not say it.
_HINTS = {
    "ambiguous_number": "say `decimal` and `thousands` in a mapping (docs/formats.md)",
    "ambiguous_date": "write days as 2026-04-03, or say their pattern under `formats` in a mapping",
    "no_header": "write names of columns into its first line",
    "duplicate_column": "take one of the two columns away, or give it another name",
    "wrong_encoding": "save the file as UTF-8",
}
# The same of one source.
_OWN_HINTS = {
    ("contacts", "no_identifier"): "where the file calls it otherwise, say in contacts/mapping.yml"
    " which column holds the address, phone or number",
}


@dataclass
class FileCounts:
    """What became of one file's rows: those that can be used, and the others by their problem.

    `is_unreadable` says that the file as such could not be read, to its end or at all.
    """

    good: int = 0
    bad: Counter[Problem] = field(default_factory=Counter)
    is_unreadable: bool = False


def what_to_do(source: str, reason: str) -> str:
    """What to do about rows of a source that cannot be used; empty where the reason says it."""
    return _OWN_HINTS.get((source, reason)) or _HINTS.get(reason, "")


def check_limits(
    source: str,
    files: Mapping[str, FileCounts],
    newly_bad: int,
    limits: Quarantine,
    *,
    has_rows: bool,
    whole_files: bool = True,
) -> None:
    """Stop the source where what cannot be used is no longer the exception.

    Args:
        source: its name.
        files: the counts of each file that was read, rows known from earlier runs included.
        newly_bad: rows that went to quarantine in this run.
        limits: the settings.
        has_rows: whether earlier runs loaded rows of this source.
        whole_files: whether what was read are files; of an API a day's pull is no whole, so that
            the rules about a whole file and about half of a source hold for its first pull alone.

    Raises:
        SourceError: names the file, the reason, the count and the setting that accepts it.
    """
    received = sum(counts.good + counts.bad.total() for counts in files.values())
    if newly_bad > limits.max_rows and newly_bad > limits.max_share * received:
        raise SourceError(
            f"{source}: {newly_bad:,} of {received:,} rows cannot be used, which is more than "
            f"{limits.max_rows:,} rows and {limits.max_share:.0%}; nothing of it was loaded. "
            f"Most frequent: {_most_frequent(source, files)}.",
            "Mend the input, or raise max_rows or max_share under [quarantine] in regulars.toml "
            "to accept it.",
        )
    if has_rows and not whole_files:
        return
    counted = {
        path: counts
        for path, counts in files.items()
        if not any(fnmatchcase(path, pattern) for pattern in limits.accept)
        and not (has_rows and path.startswith(PULLED))
        and not path.startswith(ARRIVED)
    }
    of_the_source = {
        path: counts
        for path, counts in counted.items()
        if not (_is_stray(counts) or _is_of_another_layout(counts))
    }
    for path, counts in sorted(of_the_source.items()):
        if counts.bad and not counts.good:
            raise _whole_file(source, path, counts)
    good = sum(counts.good for counts in of_the_source.values())
    bad = sum(counts.bad.total() for counts in of_the_source.values())
    if bad > limits.max_source_share * (good + bad):
        raise SourceError(
            f"{source}: {bad:,} of {good + bad:,} rows cannot be used, which is more than "
            f"{limits.max_source_share:.0%} of it; nothing of it was loaded. "
            f"Most frequent: {_most_frequent(source, of_the_source)}.",
            "Mend the input, or raise max_source_share under [quarantine] in regulars.toml "
            "to accept it.",
        )
    if any(counts.good for counts in files.values()):
        return
    for path, counts in sorted(counted.items()):
        if counts.bad and not (has_rows and _is_stray(counts)):
            raise _whole_file(source, path, counts)


def _is_stray(counts: FileCounts) -> bool:
    """Whether it is no file of rows: of another kind (a picture), or none (a folder, a pipe)."""
    return bool(counts.bad) and all(
        code == "unknown_format" or column.endswith(NO_FILE) for code, column in counts.bad
    )


def _is_of_another_layout(counts: FileCounts) -> bool:
    """Whether it was refused for its encoding or its header."""
    return counts.is_unreadable and all(code in ANOTHER_LAYOUT for code, _ in counts.bad)


def _whole_file(source: str, path: str, counts: FileCounts) -> SourceError:
    reason, rows = _words(source, counts.bad), counts.bad.total()
    if counts.is_unreadable:
        what = f"{path} cannot be read ({reason})"
    elif rows == 1:
        what = f"the only row of {path} cannot be used ({reason})"
    else:
        what = f"not one of the {rows:,} rows of {path} can be used ({reason})"
    return SourceError(
        f"{source}: {what}; nothing of this source was loaded and nothing was published.",
        "Mend the file or take it away and run again. To accept it as it is, put "
        f'accept = ["{path}"] under [quarantine] in regulars.toml.',
    )


def _most_frequent(source: str, files: Mapping[str, FileCounts]) -> str:
    worst = max(sorted(files), key=lambda path: files[path].bad.total())
    problems: Counter[Problem] = sum((counts.bad for counts in files.values()), Counter())
    return f"{_words(source, problems)}, most in {worst}"


def _words(source: str, problems: Counter[Problem]) -> str:
    if not problems:
        return "unknown"
    code, column = max(sorted(problems), key=lambda problem: problems[problem])
    named = column.partition(";")[0]  # what follows quotes a header, which may be a row of data
    hint = f": {todo}" if (todo := what_to_do(source, code)) else ""
    return f"{code} in {named}{hint}" if named else code
