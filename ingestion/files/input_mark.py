"""The state of the input folder as one short mark, for noticing new files.

Belongs here: the mark. Does not belong here: reading files or knowing which were read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from ingestion.files.folder import InputFolder
from ingestion.files.source import FolderSource


def fingerprint(location: str, sources: Collection[object]) -> str:
    """A mark that changes whenever a file that one of the sources reads is new, gone or changed.

    Mappings count as files.
    """
    folder = InputFolder.at(location)
    files = [
        f"{file.path}={file.fingerprint}"
        for source in sources
        if isinstance(source, FolderSource)
        for file in source.files(folder)
    ]
    settings = (getattr(source, "settings_file", "") for source in sources)
    files += [f"{name}={folder.text(name)}" for name in settings if name]
    return hashlib.sha256("\n".join(sorted(files)).encode()).hexdigest()[:32]
