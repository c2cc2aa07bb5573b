"""The `file` destination: audiences as files, on any file system that fsspec knows.

Writes, for every segment:
    <url>/<segment>/audience.<format>                  everybody in it now
    <url>/<segment>/<time>-<id>/added.<format>         what one sync run changed; also
                                updated, removed       (`added-2` … for further batches)

Auth: whatever fsspec reads from the environment for the protocol. Limits: none. Idempotent as a
set: a batch always writes the same files, whole, so doing it again after a crash changes nothing.
Local files are written beside their place and moved there, mode 0600; object stores put a file
whole; others get a temporary name and a move.

Does not belong here: the formats (`tables`), the gate.
Data flow: outbox rows -> files.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, get_args

import fsspec
from pydantic import BaseModel, ConfigDict, Field

from ingestion.errors import RegularsError
from ingestion.vocabulary import CHANNELS
from orchestration.destinations.base import (
    Acknowledgement,
    Audience,
    Batch,
    Idempotency,
    Limits,
    Operation,
    Outcome,
    Payload,
    delivered,
)
from orchestration.destinations.options import checked_options
from orchestration.destinations.tables import Format, write_table
from orchestration.home.layout import Home
from orchestration.home.whole_file import whole_file

_PUTS_WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "az", "adl", "oci", "memory"})


class Options(BaseModel):
    """What `[destinations.<name>.options]` may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = ""
    format: Format = "csv"
    batch_size: Annotated[int, Field(ge=1)] = 100_000
    columns: list[str] = []


class FileDestination:
    """Writes audiences and their changes as files."""

    channels = frozenset(CHANNELS)
    idempotency = Idempotency.SET
    acknowledgement = Acknowledgement.APPLIED

    def __init__(self, name: str, options: Options, home: Home) -> None:
        """Nothing is opened or created until the first delivery."""
        self.name = name
        self.limits = Limits(options.batch_size)
        self._format = options.format
        self._url = (options.url or str(home.delivered / name)).rstrip("/")

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """Write the batch's rows, one file per operation."""
        folder = f"{self._url}/{batch.segment}/{_folder(batch)}"
        suffix = "" if batch.number == 1 else f"-{batch.number}"
        for operation in get_args(Operation):
            rows = [row.payload for row in batch.rows if row.operation == operation]
            self._replace(f"{folder}/{operation}{suffix}", batch.columns, rows)
        return list(delivered(batch.rows))

    def finish(self, audience: Audience) -> None:
        """Write the whole audience anew."""
        path = f"{self._url}/{audience.segment}/audience"
        self._replace(path, audience.columns, audience.members, keep_empty=True)

    def preview(self, segment: str) -> str:
        """Where the files would lie."""
        return f"{self._format} files under {self._url}/{segment}/"

    def stays_in(self, folder: Path) -> bool:
        """Whether the files lie below it on this machine, links followed."""
        try:
            system, inner = fsspec.core.url_to_fs(self._url)
        except (OSError, ImportError, ValueError):
            return False
        protocols = {system.protocol} if isinstance(system.protocol, str) else set(system.protocol)
        return "file" in protocols and Path(inner).resolve().is_relative_to(folder.resolve())

    def _replace(
        self,
        path: str,
        columns: Sequence[str],
        rows: Iterable[Payload],
        *,
        keep_empty: bool = False,
    ) -> None:
        """Put a file in its place as a whole, or take away a stale one where there are no rows."""
        location = f"{path}.{self._format}"
        try:
            system, inner = fsspec.core.url_to_fs(location)
            if not keep_empty and not rows:
                if system.exists(inner):
                    system.rm(inner)
                return
            with _whole_file(system, inner) as stream:
                write_table(stream, self._format, columns, rows)
        except (OSError, ImportError, ValueError) as error:
            raise RegularsError(
                f"The destination `{self.name}` cannot be written to ({type(error).__name__}).",
                "Check its url, credentials and free space in regulars.toml; rows stay queued.",
            ) from error


def create(name: str, options: dict[str, Any], home: Home) -> FileDestination:
    """The destination with these options.

    Raises:
        UsageError: an option is unknown or has a wrong value.
    """
    return FileDestination(name, checked_options(Options, name, options), home)


def _folder(batch: Batch) -> str:
    return f"{batch.started_at:%Y%m%dT%H%M%S}-{batch.sync_run_id[:8]}"


@contextmanager
def _whole_file(system: Any, path: str) -> Iterator[Any]:
    """A binary stream whose content appears at `path` at once, or not at all."""
    protocols = {system.protocol} if isinstance(system.protocol, str) else set(system.protocol)
    if "file" in protocols:
        local = Path(path)
        local.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole_file(local) as stream:
            yield stream
        return
    # Made here first: closing a remote stream after an error would put half a file in place.
    with tempfile.NamedTemporaryFile(prefix="regulars-") as here:
        yield here
        here.flush()
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        if protocols & _PUTS_WHOLE:
            system.put_file(here.name, path)
        else:
            system.put_file(here.name, f"{path}.part")
            system.mv(f"{path}.part", path)
