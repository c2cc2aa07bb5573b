"""Bodies of webhooks without people who are forgotten.

Belongs here: the files of the home's inbox. Does not belong here: taking bodies in (`home.inbox`,
`serve`), rows that were read from them (`ingestion.forgetting`).

A body may tell of many people: of a list the parts that name a forgotten one go, and of an order
what says whose it was. What then still names them goes whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ingestion.forgetting.documents import without_person
from ingestion.forgetting.forms import is_plain, keyed, telling
from orchestration.home.whole_file import whole_file

ORDERS = "orders"
_AT_ONCE = 2_000

# Those of some texts that name somebody who is forgotten.
GoneAmong = Callable[[Iterable[str]], set[str]]


class _Pieces(list[str]):
    """What a body that has no usable form says of people."""


def erase_from_inbox(inbox: Path, gone_among: GoneAmong, *, since: float = 0.0) -> int:
    """Take forgotten people out of every body; how many files changed or went.

    Args:
        inbox: the folder.
        gone_among: who is forgotten.
        since: only files of this moment and later, in seconds since 1970.
    """
    paths = (
        path
        for path in sorted(inbox.rglob("*.json"))
        if not path.name.startswith(".") and path.stat().st_mtime >= since
    )
    done = 0
    while some := list(islice(paths, _AT_ONCE)):
        documents = {path: _document(path) for path in some}
        gone = gone_among({leaf for each in documents.values() for leaf in _leaves(each)})
        for path, document in documents.items():
            if gone.intersection(_leaves(document)):
                _rewrite(path, document, gone, is_order=path.relative_to(inbox).parts[0] == ORDERS)
                done += 1
    return done


def _document(path: Path) -> Any:
    text = path.read_bytes().decode(errors="replace")
    try:
        return json.loads(text)
    except ValueError:
        pieces = (piece.strip() for piece in text.split('"'))
        return _Pieces([*(piece for piece in pieces if not is_plain(piece)), *sorted(keyed(text))])


def _leaves(value: Any, field: str = "") -> Iterator[str]:
    return iter(value) if isinstance(value, _Pieces) else telling(value, field)


def _rewrite(path: Path, document: Any, gone: set[str], *, is_order: bool) -> None:
    if isinstance(document, _Pieces):
        left = None
    elif is_order:
        left = json.loads(without_person(json.dumps(document), gone.__contains__))
    else:
        left = _without_parts(document, gone)
    if not left or gone.intersection(_leaves(left)):
        path.unlink()
        return
    with whole_file(path) as stream:
        stream.write(json.dumps(left, ensure_ascii=False).encode())


def _without_parts(value: Any, gone: set[str], field: str = "") -> Any:
    """The value without the parts of its lists that name one of them."""
    if isinstance(value, list):
        return [
            _without_parts(part, gone, field)
            for part in value
            if not gone.intersection(_leaves(part, field))
        ]
    if isinstance(value, dict):
        return {key: _without_parts(inner, gone, key) for key, inner in value.items()}
    return value
