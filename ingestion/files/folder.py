"""The input folder: which files it holds, and their bytes whole or not at all.

A folder is a local path or any fsspec URL. Archives (.gz, .zst) are tested to their last byte
before the first row is used, because a truncated one would otherwise pass as a shorter day.

Only regular files are ever opened: a pipe or a device would never come to an end. What has a name
like data and is none (a pipe, a device, a link that leads nowhere, a folder) is listed with its
problem, so that it is told rather than left out.

Belongs here: listing, fingerprints, decompression. Does not belong here: what the bytes mean.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import fsspec
import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem

from ingestion.errors import NoInputError, SourceError, UsageError
from ingestion.landing.batch import ARRIVED

CODECS = {".gz": "gzip", ".zst": "zstd"}
FORMATS = {
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
# What people leave beside data on purpose; anything else that is no data is worth a word.
NOTES = (".md", ".txt", ".yml", ".yaml", ".toml", ".sha256", ".md5")
TEXTS = (".txt", ".md")  # of notes, those in which people keep addresses too
UNKNOWN = "unknown"
TEXT = "text"
SHOP_MARK = " shop="  # in a fingerprint: a file of another shop says other things
DOCUMENT = "document"
WHOLE_LIMIT = 64 * 1024 * 1024
KEPT_LIMIT = 16 * 1024 * 1024  # of the text of a refused file
KEPT_BLOCK = 64 * 1024
GZIP = 31  # what zlib calls the container
READ_BYTES = 8 * 1024 * 1024
# No export packs tighter: exports of one repeated row come to a hundredth, a trap to a thousandth.
PACKED_LIMIT = 200
PACKED_FLOOR = 256 * 1024 * 1024


class BrokenFileError(Exception):
    """A file that cannot be used at all, with the reason code for quarantine."""

    def __init__(self, reason: str, detail: str = "") -> None:
        """Keep the code apart from the explanation."""
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason} {detail}".strip())


@dataclass(frozen=True)
class InputFile:
    """One file of the input: `path` is relative to the input folder and names it for people.

    `problem` says why what has the name of a file cannot be opened as one; `shop` is the further
    shop that it is of, empty for the shop without a name.
    """

    path: str
    url: str
    size: int
    fingerprint: str
    format: str
    codec: str
    problem: str = ""
    shop: str = ""


@dataclass(frozen=True)
class InputFolder:
    """The folder given as `--input`.

    Args:
        fs: its file system.
        root: where it is.
        zone: the shop's, where days without a time begin.
        names: which export a file is, by a pattern of its path, where the settings say so.
        inbox: a local folder of the same layout, whose files are read beside those of this one.
        shops: which further shop a file is of, by a pattern of its path, as the settings say.
        shop: the further shop whose files are being read; a mapping may say what is its own.
    """

    fs: Any
    root: str
    zone: str = "UTC"
    names: tuple[tuple[str, str], ...] = ()
    inbox: str = ""
    shops: tuple[tuple[str, str], ...] = ()
    shop: str = ""

    @classmethod
    def at(cls, location: str | Path) -> InputFolder:
        """The folder at a path or URL.

        Raises:
            NoInputError: there is no such folder or it cannot be reached.
        """
        try:
            fs, root = fsspec.core.url_to_fs(str(location))
            exists = fs.isdir(root)
        except Exception as error:  # fsspec's backends raise whatever their library raises
            raise NoInputError(
                f"The input folder {location} cannot be opened ({type(error).__name__}).",
                "Check the address, the credentials and that its fsspec package is installed.",
            ) from error
        if not exists:
            raise NoInputError(
                f"There is no input folder at {location}.",
                "Give --input a folder that holds web/, email/, orders/ or another input folder.",
            )
        return cls(fs, root.rstrip("/"))

    @classmethod
    def nowhere(cls) -> InputFolder:
        """A folder without files, for runs that read only APIs."""
        return cls(fsspec.filesystem("memory"), "/nowhere")

    @cached_property
    def everything(self) -> list[InputFile]:
        """All readable files but the inbox's, by path, as they were when somebody first asked:
        every source of a run looks for exports among the same ones, and the folder is listed once
        for all."""
        return replace(self, inbox="").files()

    def files(
        self, name: str = "", document_endings: tuple[str, ...] = (), *, has_texts: bool = False
    ) -> list[InputFile]:
        """The readable files below the folder `name`, or the single file of that name, by path,
        and those of the inbox's folder of that name.

        Args:
            name: below the input folder.
            document_endings: endings of files that are one document each; elsewhere notes.
            has_texts: whether plain texts are listed too, in which addresses may stand.
        """
        kinds = dict.fromkeys(document_endings, DOCUMENT)
        kinds |= dict.fromkeys(TEXTS, TEXT) if has_texts else {}
        return self._own_files(name, kinds) + self._inbox_files(name)

    def _inbox_files(self, name: str) -> list[InputFile]:
        if not self.inbox:
            return []
        inbox = InputFolder(LocalFileSystem(), self.inbox)
        return [self._arrived(file) for file in inbox._own_files(name, {})]

    def _arrived(self, file: InputFile) -> InputFile:
        """A file of the inbox under its path in this folder."""
        path = f"{ARRIVED}{file.path}"
        shop = shop_of(path, self.shops)
        return replace(file, path=path, shop=shop, fingerprint=_of_shop(file.fingerprint, shop))

    def _own_files(self, name: str, kinds: dict[str, str]) -> list[InputFile]:
        start = f"{self.root}/{name}" if name else self.root
        if isinstance(self.fs, LocalFileSystem):
            infos = _local_files(start)
        else:
            try:
                infos = self.fs.find(start, detail=True)
            except FileNotFoundError:
                return []
        files = [self._describe(path, info, kinds) for path, info in infos.items()]
        return sorted((file for file in files if file), key=lambda file: file.path)

    def text(self, name: str) -> str | None:
        """The text of a small file such as `orders/mapping.yml`, or None if it is not there.

        Raises:
            UsageError: it is not UTF-8, or no file that can be read.
        """
        path = f"{self.root}/{name}"
        if isinstance(self.fs, LocalFileSystem) and (problem := _problem(path)):
            raise UsageError(
                f"{name} cannot be read: {problem}.", "Put a text file there, or take it away."
            )
        if not self.fs.exists(path):
            return None
        content: bytes = self.fs.cat_file(path)
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise UsageError(f"{name} is not UTF-8 at line {line}.", "Save it as UTF-8.") from error

    def _describe(self, path: str, info: dict[str, Any], kinds: dict[str, str]) -> InputFile | None:
        relative = path[len(self.root) :].lstrip("/")
        hidden = any(part.startswith((".", "_")) for part in relative.split("/"))
        kind, codec = form_of(relative)
        ending = Path(relative).suffix.lower()
        if ending in kinds:
            kind = kinds[ending]
        elif ending in NOTES:
            return None
        if hidden:
            return None
        size = int(info.get("size") or 0)
        stamp = next(
            (
                info[key]
                for key in ("ETag", "etag", "md5Hash", "mtime", "LastModified", "updated")
                if info.get(key)
            ),
            "",
        )
        problem = info.get("problem", "")
        if problem:
            kind = UNKNOWN
        mark = f"{size}:{stamp}" + (f":{problem}" if problem else "")
        shop = shop_of(relative, self.shops)
        mark = _of_shop(mark, shop)
        return InputFile(relative, path, size, mark, kind or UNKNOWN, codec, problem, shop)

    @contextmanager
    def open(self, file: InputFile) -> Iterator[IO[bytes]]:
        """The file's plain bytes as a stream; a broken archive fails before the first byte.

        Raises:
            BrokenFileError: the archive is truncated or damaged, or the file cannot be read.
        """
        if file.problem:
            raise BrokenFileError("unreadable_file", file.problem)
        if file.format == UNKNOWN:
            endings = ", ".join(FORMATS)
            raise BrokenFileError("unknown_format", f"read are {endings}, plain, .gz or .zst")
        if file.codec and file.size == 0:
            raise BrokenFileError("truncated_archive", "the file is empty")
        whole = self._whole_if_small(file)
        if whole is not None:
            yield pa.BufferReader(whole)
            return
        try:
            with self._stream(file) as stream:
                yield stream
        except OSError as error:
            raise _broken(file, error) from error

    def readable_start(self, file: InputFile) -> str:
        """The text of a file that was refused, as far as it can be read; a refusal may be in it."""
        if file.problem or file.format not in ("json", "csv", TEXT):
            return ""
        content = bytearray()
        # What comes before the damage counts, whatever the damage is.
        with suppress(OSError, zlib.error):
            for block in self._blocks(file):
                content += block
                if len(content) >= KEPT_LIMIT:
                    break
        encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
        text = bytes(content[:KEPT_LIMIT]).decode(encoding, "backslashreplace")
        return text.replace("\0", "")

    def _system_of(self, file: InputFile) -> Any:
        return LocalFileSystem() if file.path.startswith(ARRIVED) else self.fs

    def _blocks(self, file: InputFile) -> Iterator[bytes]:
        """The plain bytes, each block as soon as it is unpacked; Arrow hands out no half of one."""
        if file.codec != "gzip":
            with self._stream(file) as stream:
                while block := stream.read(KEPT_BLOCK):
                    yield block
            return
        with self._system_of(file).open(file.url, "rb") as source:
            unpacker = zlib.decompressobj(GZIP)
            while block := source.read(KEPT_BLOCK):
                yield unpacker.decompress(block)
                while unpacker.eof and unpacker.unused_data:
                    rest, unpacker = unpacker.unused_data, zlib.decompressobj(GZIP)
                    yield unpacker.decompress(rest)

    def _whole_if_small(self, file: InputFile) -> bytes | None:
        """All plain bytes where they fit in memory; a bigger archive is only tested."""
        if not file.codec and file.size > WHOLE_LIMIT:
            return None
        kept: list[bytes] = []
        total = 0
        try:
            with self._stream(file) as stream:
                while block := stream.read(READ_BYTES):
                    total += len(block)
                    if file.codec and total > PACKED_FLOOR + PACKED_LIMIT * file.size:
                        raise BrokenFileError(
                            "unreadable_file",
                            f"it unpacks to more than {PACKED_LIMIT} times itself",
                        )
                    if total <= WHOLE_LIMIT:
                        kept.append(block)
                    else:
                        kept.clear()
        except OSError as error:
            raise _broken(file, error) from error
        return b"".join(kept) if total <= WHOLE_LIMIT else None

    @contextmanager
    def _stream(self, file: InputFile) -> Iterator[IO[bytes]]:
        with self._system_of(file).open(file.url, "rb") as source:
            if not file.codec:
                yield source
                return
            with pa.CompressedInputStream(pa.PythonFile(source, mode="r"), file.codec) as plain:
                yield plain


def shop_of(path: str, shops: Iterable[tuple[str, str]]) -> str:
    """The further shop that a file is of, by the first pattern that fits its path; else empty."""
    return next((shop for pattern, shop in shops if fnmatchcase(path, pattern)), "")


def _of_shop(fingerprint: str, shop: str) -> str:
    """The fingerprint of a file once it is known whose it is."""
    return f"{fingerprint}{SHOP_MARK}{shop}" if shop else fingerprint


def shop_in(fingerprint: str) -> str:
    """The further shop that a file was taken for when it had this fingerprint."""
    return fingerprint.partition(SHOP_MARK)[2]


def after_this_line(block: bytes, stream: IO[bytes]) -> bytes:
    """Read on to the end of the line that goes on in `block`; what was read beyond it."""
    while block:
        _, ended, rest = block.partition(b"\n")
        if ended:
            return rest or stream.read(READ_BYTES)
        block = stream.read(READ_BYTES)
    return b""


def form_of(path: str) -> tuple[str, str]:
    """Format and codec by a file's ending; an empty format where it is none of ours."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    codec = CODECS.get(suffixes[-1], "") if suffixes else ""
    inner = suffixes[:-1] if codec else suffixes
    kind = FORMATS.get(inner[-1], "") if inner else ""
    # Segment and SendGrid exports are named like `1760000000.gz`, without an inner ending.
    if not kind and codec and (not inner or inner[-1][1:].isdigit()):
        kind = "json"
    return kind, codec


def _local_files(start: str) -> dict[str, dict[str, Any]]:
    """What lies below a local path: size and time of each file, the problem of what is none.

    Links to files are followed, links to folders are not: they may lead round in a circle.
    """
    infos: dict[str, dict[str, Any]] = {}
    named_like_data: list[str] = []

    def refused(error: OSError) -> None:
        if isinstance(error, FileNotFoundError):
            return  # a source without a folder, or one that is taken away meanwhile
        infos[str(error.filename)] = {"problem": f"a folder that cannot be opened ({_why(error)})"}

    if os.path.lexists(start) and not Path(start).is_dir():
        infos[start] = _local_info(start)
        return infos
    for folder, folders, names in os.walk(start, onerror=refused):
        for name in folders:
            path = f"{folder}/{name}"
            if Path(path).is_symlink():
                infos[path] = {"problem": "a link to a folder"}
            elif form_of(name)[0]:
                named_like_data.append(path)
        infos |= {f"{folder}/{name}": _local_info(f"{folder}/{name}") for name in names}
    for path in named_like_data:
        # Spark writes data into a folder of such a name; then its files are the data.
        if not any(name.startswith(f"{path}/") and form_of(name)[0] for name in infos):
            infos[path] = {"problem": "a folder, not a file"}
    return infos


def _local_info(path: str) -> dict[str, Any]:
    problem = _problem(path)
    if problem:
        return {"problem": problem}
    try:
        about = Path(path).stat()
    except FileNotFoundError:
        return {"problem": "it vanished while being listed"}
    return {"size": about.st_size, "mtime": about.st_mtime}


def _problem(path: str) -> str:
    """Why a local path that is there cannot be opened as a file; empty where it can, or is not."""
    if not os.path.lexists(path):
        return ""
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        why = _why(error)
        return f"a link that leads nowhere ({why})" if Path(path).is_symlink() else why
    kinds = {
        stat.S_IFDIR: "a folder, not a file",
        stat.S_IFIFO: "a pipe, not a file",
        stat.S_IFSOCK: "a socket, not a file",
        stat.S_IFCHR: "a device, not a file",
        stat.S_IFBLK: "a device, not a file",
    }
    if not stat.S_ISREG(mode):
        return kinds.get(stat.S_IFMT(mode), "not a file")
    return "" if os.access(path, os.R_OK) else "no permission to read it"


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _broken(file: InputFile, error: OSError) -> Exception:
    """A damaged archive goes to quarantine; a disk or network that fails stops the source."""
    if isinstance(error, PermissionError):
        return BrokenFileError("unreadable_file", "no permission")
    if file.codec and error.errno is None:
        return BrokenFileError("truncated_archive", str(error).split(".")[0])
    if isinstance(error, FileNotFoundError):
        return BrokenFileError("unreadable_file", "it vanished while being read")
    return SourceError(
        f"{file.path} could not be read ({type(error).__name__}).",
        "Check the disk or the connection and run again; nothing of this source was loaded.",
    )
