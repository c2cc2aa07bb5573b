"""The same login in another case: whether it is the person's who asked, or somebody else's.

Belongs here: that one question, asked of the published file. Does not belong here: tombstones,
which take another case with them (`ops.tombstones`), or erasing.

Identity keeps `Ann` and `ann` apart, since some systems do. Who is known by nothing but another
case and devices is the same person, and is forgotten too; who has an address, a number or an order
of their own is not, and stays.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb
import pyarrow as pa

from ingestion.vocabulary import ANONYMOUS_TYPES
from orchestration.ops.tombstones import TYPED_BY_PEOPLE, Erasable, Key

_OTHERS = """
    select others.customer_id, others.identifier_type, others.identifier_value, others.is_shared
    from marts.bridge_customer_identifiers as others
    inner join asked
        on others.identifier_type = asked.kind
        and lower(others.identifier_value) = lower(asked.value)
    where others.identifier_value <> asked.value
    order by all
"""
_OF_PEOPLE = """
    select customer_id, identifier_type, identifier_value, is_shared
    from marts.bridge_customer_identifiers
    where list_contains($1, customer_id)
    order by all
"""


def with_other_case(connection: duckdb.DuckDBPyConnection, subject: Erasable) -> Erasable:
    """The subject with whoever is the same in another case; whose other case is not, is `apart`.

    Args:
        connection: the published file.
        subject: who asked.
    """
    asked = [key for key in subject.keys if key[0] in TYPED_BY_PEOPLE]
    if not asked:
        return subject
    kinds, values = zip(*asked, strict=True)
    connection.register("asked", pa.table({"kind": list(kinds), "value": list(values)}))
    others = connection.execute(_OTHERS).fetchall()
    connection.unregister("asked")
    forms = {_form(key) for key in asked}
    ids = {row[0] for row in others} - set(subject.ids)
    rows = connection.execute(_OF_PEOPLE, [sorted(ids)]).fetchall() if ids else []
    strangers = {row[0] for row in rows if row[3] or not _is_nobody_else((row[1], row[2]), forms)}
    same = ids - strangers
    keys = {*subject.keys, *((row[1], row[2]) for row in rows if row[0] in same)}
    theirs = {_form((row[1], row[2])) for row in others if row[0] in strangers or row[3]}
    apart = tuple(sorted(key for key in keys if _form(key) in theirs))
    return Erasable((*subject.ids, *sorted(same)), tuple(sorted(keys)), apart)


def _is_nobody_else(key: Key, forms: Collection[Key]) -> bool:
    return key[0] in ANONYMOUS_TYPES or _form(key) in forms


def _form(key: Key) -> Key:
    return key[0], key[1].lower()
