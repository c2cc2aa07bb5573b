"""The state of the input folder as one short mark, for noticing new files.

Belongs here: the mark. Does not belong here: reading files or knowing which were read.
"""

from __future__ import annotations

import hashlib

from ingestion.folder import InputFolder
from ingestion.folder_source import FolderSource
from ingestion.pipelines import SOURCES


def fingerprint(location: str) -> str:
    """A mark that changes whenever a readable file is new, gone or changed, or a mapping is."""
    folder = InputFolder.at(location)
    files = [
        f"{file.path}={file.fingerprint}"
        for source in SOURCES.values()
        if isinstance(source, FolderSource)
        for file in source.files(folder)
    ]
    settings = (getattr(source, "settings_file", "") for source in SOURCES.values())
    files += [f"{name}={folder.text(name)}" for name in settings if name]
    return hashlib.sha256("\n".join(sorted(files)).encode()).hexdigest()[:32]
