"""Excel's "Unicode text": UTF-16 with its mark in front and tabs between the columns, as UTF-8.

Other files in UTF-16 are refused by name: no system is known to write them, and what looks like one
is rather a binary file.

Belongs here: that one encoding. Does not belong here: UTF-8 and Windows-1252 (`reader.py`).
"""

from __future__ import annotations

import codecs
import io
from typing import IO

from ingestion.files.folder import BrokenFileError

BLOCK_BYTES = 4 * 1024 * 1024
MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
HEAD_BYTES = 64 * 1024


def excel_text(start: bytes, stream: IO[bytes], size: int) -> tuple[bytes, IO[bytes]]:
    """What was read of a stream and the stream, both as UTF-8 where it is Excel's Unicode text.

    Args:
        start: what was read already.
        stream: where it goes on.
        size: how much is to be read in place of `start`.
    """
    encoding = MARKS.get(start[:2], "")
    if not encoding or not _has_tabs(start[2:HEAD_BYTES], encoding):
        return start, stream
    recoded = io.BufferedReader(_Recoded(start[2:], stream, encoding), BLOCK_BYTES)
    return recoded.read(size), recoded


def _has_tabs(head: bytes, encoding: str) -> bool:
    """Whether the first line has columns that tabs part."""
    text = head[: len(head) // 2 * 2].decode(encoding, "replace")
    return "\t" in text.lstrip("\r\n").split("\n", 1)[0]


class _Recoded(io.RawIOBase):
    """A stream of UTF-8 from one of UTF-16."""

    def __init__(self, start: bytes, stream: IO[bytes], encoding: str) -> None:
        self._start, self._stream = start, stream
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = b""
        self._is_over = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as the next block goes."""
        while not self._ready and not self._is_over:
            block, self._start = self._start or self._stream.read(BLOCK_BYTES), b""
            self._is_over = not block
            try:
                self._ready = self._decoder.decode(block, final=self._is_over).encode()
            except UnicodeError as error:
                raise BrokenFileError("wrong_encoding", "UTF-16 that is damaged") from error
        part, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)
