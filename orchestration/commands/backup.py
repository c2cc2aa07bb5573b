"""`regulars backup` and `regulars restore`: what was kept, and what a restored home does not know.

Belongs here: words for the terminal. Does not belong here: making or reading a backup
(orchestration/backup).
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console

from ingestion.config import CONFIG_NAME
from ingestion.settings_file import load_settings
from ingestion.settings_place import config_path
from orchestration.backup.archive import Manifest
from orchestration.backup.catching_up import Answer, catch_up
from orchestration.backup.scheduled import try_and_note
from orchestration.backup.stores import make_backup, restore_backup
from orchestration.home.kind import take_settings
from orchestration.home.layout import Home
from orchestration.ops.adoption import what_is_copied
from orchestration.ops.store import open_store
from orchestration.run.run import clock

NOT_KNOWN_AGAIN = (
    "who was forgotten since: `regulars forget --from` the receipts, which lie in erasures/ of the"
    " lost home",
    "what was recorded by hand since (`regulars consent`): record it again",
    "who refused since at a destination that cannot tell",
    "what each destination received since: the next sync may add people whom it has already, and"
    " cannot remove whom it never knew of",
)


def print_backup(home: Home, target: Path, key_file: Path | None, out: Console) -> None:
    """Make a backup and say what is in it."""
    had_key = key_file is None or key_file.exists()
    kept = make_backup(home, target, key_file=key_file, settings=config_path(), at=clock())
    out.print(f"Written and read back: {target}, {kept.size:,} bytes, encrypted.")
    out.print(f"  {', '.join(contents(kept.manifest))}")
    if not had_key:
        out.print(f"  The key is new: {key_file}. Keep a copy of it elsewhere; there is no other.")
    elif key_file is not None:
        out.print(f"  It is for the key {key_file}; without that nobody can read it.")
    if "ops.sqlite" not in kept.manifest.files:
        out.print("  The operational store lies elsewhere; back it up with its own tools.")


def contents(manifest: Manifest) -> Iterator[str]:
    """The stores and the settings by their names, folders by how many files they have."""
    folders = Counter(name.partition("/")[0] for name in manifest.files if "/" in name)
    yield from (name for name in manifest.files if "/" not in name)
    for folder, count in sorted(folders.items()):
        yield f"{folder}/ ({count:,} file{'' if count == 1 else 's'})"


def print_restore(
    source: Path, home: Home, key_file: Path | None, later: Sequence[Path], out: Console
) -> None:
    """Make a home of a backup, ask what came after it, and say what nobody knows."""
    manifest = restore_backup(source, home, key_file=key_file)
    out.print(f"Restored into {home.root}: the home as of {manifest.made_at} UTC.")
    take_settings(home)
    answers = catch_up(
        home,
        source,
        load_settings(),
        made_at=datetime.fromisoformat(manifest.made_at),
        at=clock(),
        key_file=key_file,
        folders=later,
    )
    if answers:
        out.print("Asked what came after it:")
    for answer in answers:
        out.print(f"  {answer.asked}: {_sentence(answer)}")
    out.print("Nothing is sent before a run has read every source again. Nobody else can know:")
    for each in NOT_KNOWN_AGAIN:
        out.print(f"  {each}")
    with open_store(home) as store:
        copied = what_is_copied(store, home)
    for line in next_steps(home, manifest, copied):
        out.print(line)


def _sentence(answer: Answer) -> str:
    if answer.problem:
        return answer.problem
    sentence = f"{answer.statements:,} new statements about permission"
    return f"{sentence}, {answer.forgotten:,} forgotten since"


def print_trial(source: Path, home: Home, key_file: Path | None, out: Console) -> None:
    """Restore a backup for a moment and say what was compared."""
    tried = try_and_note(source, home, key_file=key_file, at=clock())
    out.print(
        f"It can be restored: the home as of {tried.made_at} UTC, {tried.rows:,} rows in"
        f" {tried.tables:,} tables, each as it was. Nothing was kept of it."
    )


def next_steps(home: Home, manifest: Manifest, copied: str = "") -> Iterator[str]:
    """What to run after a restore: a shop's settings of then are read where they are named.

    `copied`: why the home has to be adopted before it plans and sends.
    """
    where = f"--home {shlex.quote(str(home.root))}"
    if manifest.kind == "demo":
        yield f"Next: regulars run {where}"
        yield "  The first run is as of the day of the backup; each one after it moves on by a day."
        return
    named = ""
    if CONFIG_NAME in manifest.files:
        settings = home.root / CONFIG_NAME
        yield f"The settings of then: {settings}"
        named = f"REGULARS_CONFIG={shlex.quote(str(settings))} "
    yield f"Next: {named}regulars run {where} --input FOLDER"
    if copied:
        yield copied
        yield (
            "  Once that one cannot send any more: regulars ops adopt --by NAME --reason WHY"
            f" {where}"
        )
