"""The file of a backup: a tar of the stores, compressed and encrypted, with a list of its files.

Belongs here: writing it whole, reading it back, and refusing what is cut, altered or not ours. Does
not belong here: which stores there are and how they are copied (`stores`).

Layout: a tar of `key.age` (the key, encrypted by passphrase; only where there is one) and
`stores.tar.zst.age`. In that, `manifest.json` comes first and then every file it lists. With the
shop's own tools: `tar -x`, `age -d -i KEY`, `zstd -d`, `tar -x`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import pyrage
import zstandard

from ingestion.errors import RegularsError, UsageError
from orchestration.backup.keys import BackupKey, WrongKeyError, existing_key
from orchestration.home.layout import OWNER_ONLY
from orchestration.home.whole_file import private_file, whole_file
from orchestration.published.files import sha256_of

FORMAT = 1
KEY, STORES, MANIFEST = "key.age", "stores.tar.zst.age", "manifest.json"
_CHUNK = 1 << 20
_LARGEST_MANIFEST = 10_000_000
_NOT_ONE = "Take another backup; the one before it, if this was cut while it was copied."


class DamagedBackupError(RegularsError):
    """The backup is cut, altered, or no backup."""


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself.

    `made_at`: naive UTC in ISO form. `kind`: the home's, shop or demo. `files`: bytes and SHA-256
    by path below the home. `tables`: rows and a digest of each table, those of raw as `engine`, the
    version of DuckDB, makes them.
    """

    made_at: str
    version: str
    kind: str
    files: Mapping[str, Mapping[str, Any]]
    format: int = FORMAT
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    engine: str = ""


def describe(files: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Bytes and digest of each file, by its path below the home."""
    return {
        name: {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for name, path in sorted(files.items())
    }


def write(
    target: Path, manifest: Manifest, files: Mapping[str, Path], key: BackupKey, scratch: Path
) -> None:
    """Write the backup; what is not encrypted yet stays in `scratch`, a private folder.

    Raises:
        UsageError: nothing can be written there.
    """
    plain, sealed = scratch / "stores.tar.zst", scratch / STORES
    try:
        with private_file(plain) as stream:
            _write_stores(stream, manifest, files)
        with plain.open("rb") as readable, private_file(sealed) as stream:
            pyrage.encrypt_io(readable, stream, [key.identity.to_public()])
        plain.unlink()
        with whole_file(target) as stream, tarfile.open(fileobj=stream, mode="w") as tar:
            if key.enclosed:
                _add_bytes(tar, KEY, key.enclosed)
            tar.add(sealed, STORES, filter=_anonymous)
    except OSError as error:
        raise UsageError(
            f"The backup {target} cannot be written ({error.strerror}).",
            "Name a file in a folder of yours with room for it.",
        ) from error


def read(source: Path, folder: Path, key_file: Path | None) -> Manifest:
    """Unpack a backup into an empty folder, each file as the manifest says.

    Raises:
        UsageError: there is no such file, or no key was given.
        WrongKeyError: it is for another key.
        DamagedBackupError: it is cut, altered, of a later version, or no backup.
    """
    if not source.is_file():
        raise UsageError(f"There is no backup {source}.", "Name the file that `backup` wrote.")
    if not os.access(source, os.R_OK):
        raise UsageError(f"{source} is not yours to read.", "Run as its owner, or copy it.")
    plain = folder / ".stores.tar.zst"
    try:
        with tarfile.open(source, "r:") as tar:
            enclosed = _member(tar, KEY)
            identity = existing_key(key_file, enclosed.read() if enclosed else b"")
            sealed = _member(tar, STORES)
            if sealed is None:
                raise DamagedBackupError(f"{source} is no whole backup.", _NOT_ONE)
            with private_file(plain) as stream:
                pyrage.decrypt_io(sealed, stream, [identity])
        return _unpack(plain, folder, source)
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            raise WrongKeyError(
                f"{source} is for another key.", "Name the key it was made with by --key."
            ) from error
        raise DamagedBackupError(f"{source} is no whole backup.", _NOT_ONE) from error
    except (tarfile.TarError, zstandard.ZstdError, OSError, ValueError, KeyError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise DamagedBackupError(f"{source} is no whole backup.", _NOT_ONE) from error
    finally:
        plain.unlink(missing_ok=True)


def _write_stores(stream: BinaryIO, manifest: Manifest, files: Mapping[str, Path]) -> None:
    compressor = zstandard.ZstdCompressor(level=3, threads=0)
    with (
        compressor.stream_writer(stream, closefd=False) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        _add_bytes(tar, MANIFEST, json.dumps(asdict(manifest), indent=1).encode())
        for name, path in sorted(files.items()):
            tar.add(path, name, filter=_anonymous)


def _unpack(plain: Path, folder: Path, source: Path) -> Manifest:
    with (
        plain.open("rb") as stream,
        zstandard.ZstdDecompressor().stream_reader(stream) as packed,
        tarfile.open(fileobj=packed, mode="r|") as tar,
    ):
        first = tar.next()
        content = tar.extractfile(first) if first is not None else None
        if first is None or content is None or first.name != MANIFEST:
            raise DamagedBackupError(f"{source} is no whole backup.", _NOT_ONE)
        fields = json.loads(content.read(_LARGEST_MANIFEST))
        if fields["format"] > FORMAT:
            raise DamagedBackupError(
                f"{source} was made by a newer version of Regulars ({fields['version']}).",
                "Restore it with that version.",
            )
        manifest = Manifest(**fields)
        while (member := tar.next()) is not None:
            _unpack_file(tar, member, folder, manifest)
    missing = [name for name in manifest.files if not (folder / name).is_file()]
    if missing:
        raise DamagedBackupError(f"{source} is no whole backup.", _NOT_ONE)
    return manifest


def _unpack_file(
    tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, manifest: Manifest
) -> None:
    path = PurePosixPath(member.name)
    entry = manifest.files.get(member.name)
    content = tar.extractfile(member)
    if entry is None or content is None or path.is_absolute() or ".." in path.parts:
        raise DamagedBackupError("The backup holds a file that its list does not name.", _NOT_ONE)
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    with private_file(target) as stream:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            stream.write(chunk)
    if digest.hexdigest() != entry["sha256"]:
        raise DamagedBackupError("A file of the backup is not as it was.", _NOT_ONE)


def _member(tar: tarfile.TarFile, name: str) -> Any:
    try:
        return tar.extractfile(name)
    except KeyError:
        return None


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), OWNER_ONLY
    tar.addfile(info, io.BytesIO(content))


def _anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode, info.mtime = OWNER_ONLY, int(info.mtime)  # a fraction takes a header of its own
    return info
