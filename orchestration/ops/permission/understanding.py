"""Words of the sources become statuses, reasons, channels and purposes; the unknown ones are told.

Belongs here: taking what the statements of `fact_queries` gathered from words to meanings, within
one DuckDB session. Does not belong here: what a single word comes to (`meanings`), whose a
statement is (`readings`), storing (`consent_facts`).
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pyarrow as pa

from orchestration.ops.permission import unknown_words
from orchestration.ops.permission.consents import LAWFUL_BASES, STATUSES
from orchestration.ops.permission.meanings import (
    REQUESTED,
    UNKNOWN_OPT_OUT,
    Reading,
    read_channel,
    read_purpose,
    read_status,
    shown_word,
)
from orchestration.ops.permission.status_words import status_words
from orchestration.ops.permission.unknown_words import UnknownWord

_CONSENT_STATUSES = "(" + ", ".join(f"'{status}'" for status in STATUSES) + ")"


def understand(connection: duckdb.DuckDBPyConnection) -> list[UnknownWord]:
    """Words become statuses and reasons, channels and purposes; returns the unknown ones.

    What is held in quarantine permits nothing, and so does a consent whose channel, purpose or
    lawful basis is unknown; a refusal without them is one of every channel and purpose. That
    somebody was asked is neither: it goes into a table of its own.
    """
    unknown = _read_statuses(connection, "said_consents", "status")
    unknown += _read_statuses(connection, "said_suppressions", "reason")
    connection.execute(
        f"delete from said_consents where is_held and status in ('granted', '{REQUESTED}')"
    )
    for column, read in (("channel", read_channel), ("purpose", read_purpose)):
        unknown += _read_names(connection, column, read)
    _set_requests_apart(connection)
    unknown += _drop_unlawful(connection)
    refusals = f"status not in {_CONSENT_STATUSES} or (purpose = '*' and status <> 'granted')"
    connection.execute(
        "insert into said_suppressions by name select identifier_type, raw_value, channel, purpose,"
        f" status as reason, said_in, occurred_at, coalesce(source, 'consents') as source, country"
        f" from said_consents where {refusals}"
    )
    connection.execute(f"delete from said_consents where {refusals}")
    return unknown


def _read_statuses(
    connection: duckdb.DuckDBPyConnection, table: str, column: str
) -> list[UnknownWord]:
    """Replace words by what they come to; rows whose word is no fact are gone."""
    distinct = connection.execute(
        # One statement may stand for several channels and purposes.
        f"select said_in, {column}, count(distinct (identifier_type, raw_value, occurred_at))"
        f" from {table} where said_in is not null group by all order by all"
    ).fetchall()
    readings = [(*row, read_status(row[0], row[1], status_words())) for row in distinct]
    is_open = [each[3].result == UNKNOWN_OPT_OUT for each in readings]
    meanings = pa.table(
        {
            "said_in": pa.array([each[0] for each in readings], pa.string()),
            "word": pa.array([each[1] for each in readings], pa.string()),
            "result": pa.array([each[3].result for each in readings], pa.string()),
            # In the fact's source, so that the word's meaning, once known, finds the fact again.
            "note": pa.array(
                [
                    unknown_words.mark(each[1]) if is_one else ""
                    for each, is_one in zip(readings, is_open, strict=True)
                ],
                pa.string(),
            ),
        }
    )
    connection.register("meanings", meanings)
    connection.execute(
        f"""
        update {table} set {column} = meanings.result,
            source = case when note = '' then source else coalesce(source, 'unknown') || note end
        from meanings
        where {table}.said_in = meanings.said_in and {table}.{column} = meanings.word
        """
    )
    connection.execute(f"delete from {table} where {column} is null")
    return [
        UnknownWord(each[0].partition(":")[2], shown_word(each[1]), each[2], str(each[3].result))
        for each in readings
        if not each[3].is_known
    ]


def _read_names(
    connection: duckdb.DuckDBPyConnection, column: str, read: Callable[[str | None], Reading]
) -> list[UnknownWord]:
    """Channels or purposes of the consent log by our names; unknown ones permit nothing."""
    distinct = connection.execute(
        f"select {column}, count(*) from said_consents where said_in like 'log:%' group by all"
        " order by all"
    ).fetchall()
    readings = [(word, count, read(word)) for word, count in distinct]
    names = pa.table(
        {
            "word": pa.array([each[0] for each in readings], pa.string()),
            "name": pa.array([each[2].result for each in readings], pa.string()),
        }
    )
    connection.register("names", names)
    connection.execute(
        f"update said_consents set {column} = names.name from names"
        f" where said_in like 'log:%' and said_consents.{column} is not distinct from names.word"
    )
    connection.execute(f"delete from said_consents where {column} = '*' and status = 'granted'")
    return [
        UnknownWord(f"consents.{column}", shown_word(word), count, f"every {column}")
        for word, count, reading in readings
        if not reading.is_known
    ]


def _set_requests_apart(connection: duckdb.DuckDBPyConnection) -> None:
    """From here on what is said of consent is a yes or a no."""
    is_request = f"status = '{REQUESTED}'"
    connection.execute(
        f"create temp table said_requests as select * from said_consents where {is_request}"
    )
    connection.execute(f"delete from said_consents where {is_request}")


def _drop_unlawful(connection: duckdb.DuckDBPyConnection) -> list[UnknownWord]:
    """A consent on a lawful basis that we do not know is none."""
    known = ", ".join(f"'{basis}'" for basis in LAWFUL_BASES)
    unlawful = f"coalesce(lawful_basis, '') not in ({known})"
    rows = connection.execute(
        f"select lawful_basis, count(*) from said_consents where status = 'granted' and {unlawful}"
        " group by all order by all"
    ).fetchall()
    connection.execute(f"delete from said_consents where status = 'granted' and {unlawful}")
    connection.execute(f"update said_consents set lawful_basis = 'consent' where {unlawful}")
    return [
        UnknownWord("consents.lawful_basis", shown_word(word), count, "no permission")
        for word, count in rows
    ]


def end_all_sms(connection: duckdb.DuckDBPyConnection) -> None:
    """A refusal of SMS ends every purpose of it, what concerns an order included."""
    connection.execute(
        "update said_consents set purpose = '*' where channel = 'sms' and status <> 'granted'"
    )
    connection.execute(
        "insert into said_suppressions by name select * replace ('transactional' as purpose)"
        " from said_suppressions where channel = 'sms' and purpose = '*'"
    )
