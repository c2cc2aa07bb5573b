"""The templates of our HTML pages.

Belongs here: how they are rendered, one way for every page. Does not belong here: a page's own
template and what stands on it.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment


def environment(*templates: Path) -> SandboxedEnvironment:
    """Renders the templates of these folders, of two of one name that of the earlier folder.

    Every value is escaped, and one that is missing fails.
    """
    return SandboxedEnvironment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
