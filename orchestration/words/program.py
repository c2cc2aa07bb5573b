"""How the command is written so that it runs when pasted, whether `.venv` is active or not."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def program() -> str:
    """`.venv/bin/regulars`, as seen from here."""
    return os.path.relpath(Path(sys.executable).with_name("regulars"))
