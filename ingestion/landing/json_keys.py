"""Keys of documents as their table declares them: `Status` and `Identifier Value` are its own too.

Belongs here: the spelling of keys, so that documents are read as headers are: without case, blanks
and punctuation. Does not belong here: values, and keys that a table does not declare.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice, product
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.landing.fields import TableSpec
from ingestion.landing.judging import normal

_MOST_READINGS = 64


class Pairs(dict[str, Any]):
    """A document that still knows which of its keys stand in it twice."""

    def __init__(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """Keep the pairs as they are written; as a dictionary the last one holds."""
        self.pairs = list(pairs)
        super().__init__(self.pairs)


def declared_keys(spec: TableSpec) -> dict[str, str]:
    """The keys that a document of the table has at its top, by their normal form."""
    keys = (path.split(".")[0] for column in spec.columns for path in column.paths)
    return {normal(key): key for key in keys}


def with_declared_keys(texts: Any, declared: Mapping[str, str]) -> Any:
    """Documents, each with its keys as declared; one that has a key twice stays as it is.

    Args:
        texts: an array of texts.
        declared: the keys by their normal form.
    """
    loose, exact = _patterns(tuple(declared.values()))
    counts = (pc.count_substring_regex(texts, pattern) for pattern in (loose, exact))
    suspects = pc.not_equal(*counts)
    if not pc.any(suspects).as_py():
        return texts
    rows = zip(texts.to_pylist(), suspects.to_pylist(), strict=True)
    return pa.array(
        [_spelt(text, declared) if is_odd else text for text, is_odd in rows], texts.type
    )


def readings(document: dict[str, Any], declared: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The document with its keys as declared; once for each value of a key that stands twice."""
    pairs = document.pairs if isinstance(document, Pairs) else list(document.items())
    values: dict[str, list[Any]] = {}
    for key, value in pairs:
        known = values.setdefault(declared.get(normal(key), key), [])
        known += [value] if value not in known else []
    for chosen in islice(product(*values.values()), _MOST_READINGS):
        yield dict(zip(values, chosen, strict=True))


def _spelt(text: str, declared: Mapping[str, str]) -> str:
    try:
        document = json.loads(text, object_pairs_hook=Pairs)
    except (ValueError, RecursionError):
        return text
    if not isinstance(document, Pairs):
        return text
    named = [(declared.get(normal(key), key), value) for key, value in document.pairs]
    own = [key for key, _ in named if key in declared.values()]
    if len(set(own)) < len(own):
        return text
    return json.dumps(dict(named), ensure_ascii=False)


@lru_cache(maxsize=64)
def _patterns(keys: tuple[str, ...]) -> tuple[str, str]:
    """Keys in any spelling, and as declared."""
    spellings = (r"[\s_.-]*".join(map(re.escape, normal(key))) for key in keys)
    loose = "|".join(rf"[\s_.-]*{spelling}[\s_.-]*" for spelling in spellings)
    exact = "|".join(map(re.escape, keys))
    return rf'(?i)"({loose})"\s*:', rf'"({exact})"\s*:'
