"""One file per kind of sender: how it signs, and what of its bodies belongs to which folder.

Belongs here: every module with a `SENDER`; nothing names one. Does not belong here: how a request
comes in and is answered (`orchestration.serve.webhooks.app`), keeping it (`reception`).
"""

from __future__ import annotations

import importlib
import pkgutil

from orchestration.serve.webhooks.call import Sender


def senders() -> dict[str, Sender]:
    """The senders we know, by kind."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    loaded = (importlib.import_module(f"{__name__}.{name}") for name in modules)
    return {module.SENDER.kind: module.SENDER for module in loaded}
