"""The key of a backup: a file of the shop's, or a passphrase.

Belongs here: making and reading keys in the form of `age` (age-encryption.org), so that a backup
can be opened without Regulars. Does not belong here: what is encrypted (`archive`).

With a key file a backup is for that key alone. With a passphrase every backup has a key of its own,
which lies in the backup encrypted with the passphrase.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pyrage
from pyrage import passphrase as by_passphrase
from pyrage import x25519

from ingestion.errors import RegularsError, UsageError
from orchestration.home.whole_file import private_file

KEY_FILE = "REGULARS_BACKUP_KEY"
PASSPHRASE = "REGULARS_BACKUP_PASSPHRASE"  # noqa: S105 - the name of the variable
SHORTEST_PASSPHRASE = 12


class WrongKeyError(RegularsError):
    """The backup is not for this key."""


@dataclass(frozen=True)
class BackupKey:
    """A key, and what of it lies in the backup: nothing, or the key encrypted by passphrase."""

    identity: x25519.Identity
    enclosed: bytes = b""


def key_of_environment() -> Path | None:
    """The key file that the environment names, for backups that nobody starts; it is never made.

    None where a passphrase counts.

    Raises:
        UsageError: the file is not there, and nobody would be told of a new one.
    """
    named = os.environ.get(KEY_FILE, "").strip()
    if not named:
        return None
    path = Path(named).expanduser()
    if not path.is_file():
        raise UsageError(
            f"The key file {path} that {KEY_FILE} names is not there.",
            "Make one by `regulars backup FILE --key KEY`, and keep a copy of it elsewhere.",
        )
    return path


def new_key(key_file: Path | None) -> BackupKey:
    """The key for a new backup: that of the file, which is made where it is missing.

    Raises:
        UsageError: there is neither a file nor a passphrase, or either cannot be used.
    """
    if key_file is not None:
        return BackupKey(_read(key_file) if key_file.exists() else _make(key_file))
    words = _passphrase()
    identity = x25519.Identity.generate()
    return BackupKey(identity, by_passphrase.encrypt(str(identity).encode(), words))


def existing_key(key_file: Path | None, enclosed: bytes) -> x25519.Identity:
    """The key of a backup that is there.

    Args:
        key_file: the shop's key, if it was made with one.
        enclosed: the key that lies in the backup, if it was made with a passphrase.

    Raises:
        UsageError: what it was made with was not given.
        WrongKeyError: the passphrase is another.
    """
    if not enclosed:
        if key_file is None:
            raise UsageError("The backup was made with a key file.", "Name it with --key.")
        return _read(key_file)
    words = os.environ.get(PASSPHRASE, "")
    if not words:
        raise UsageError("The backup was made with a passphrase.", f"Set {PASSPHRASE} to it.")
    try:
        return x25519.Identity.from_str(by_passphrase.decrypt(enclosed, words).decode())
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        raise WrongKeyError(
            "The backup was made with another passphrase.", f"Set {PASSPHRASE} to that one."
        ) from error


def _passphrase() -> str:
    words = os.environ.get(PASSPHRASE, "")
    if not words.strip():
        raise UsageError(
            "A backup is encrypted, and there is no key for it.",
            f"Name a key file with --key (one is made where it is missing), or set {PASSPHRASE}.",
        )
    if len(words.strip()) < SHORTEST_PASSPHRASE:
        raise UsageError(
            f"The passphrase in {PASSPHRASE} is shorter than {SHORTEST_PASSPHRASE} characters.",
            "Take a longer one, such as five words.",
        )
    return words


def _make(path: Path) -> x25519.Identity:
    identity = x25519.Identity.generate()
    text = f"# A key for backups of Regulars; without it they cannot be read.\n{identity}\n"
    try:
        with private_file(path) as stream:  # never over another key
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise UsageError(
            f"The key file {path} cannot be made ({error.strerror}).",
            "Name a file in a folder of yours.",
        ) from error
    return identity


def _read(path: Path) -> x25519.Identity:
    try:
        lines = path.read_text("utf-8").splitlines()
        return x25519.Identity.from_str(next(line for line in lines if line.startswith("AGE-")))
    except OSError as error:
        raise UsageError(
            f"The key file {path} cannot be read ({error.strerror}).", "Name the right one."
        ) from error
    except (StopIteration, UnicodeDecodeError, pyrage.IdentityError) as error:
        raise UsageError(
            f"{path} is no key file.", "It has a line that begins with AGE-SECRET-KEY-."
        ) from error
