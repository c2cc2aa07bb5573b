"""From what is to be kept to what is kept: on the disk, and its refusals in the ledger.

Belongs here: the order of the two, and doing it for all requests that wait at once. Does not belong
here: judging requests (`senders/`), answering them (`app`).

A request is answered only after both. Whatever fails is answered with 503, the sender tries again,
and neither a file nor a fact is there twice. A body whose file is there already is read for
refusals once more: the process may have been killed between the two.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.exc import OperationalError

from ingestion.config import Settings
from ingestion.errors import RegularsError
from ingestion.files.source import FolderSource
from ingestion.input_folder import shop_patterns
from ingestion.landing.batch import ARRIVED
from ingestion.landing.fields import TableSpec
from ingestion.landing.reduction import is_reduced, reduced_documents
from ingestion.registry import SOURCES
from orchestration.home.inbox import Inbox, body_id
from orchestration.home.layout import Home
from orchestration.ops.permission.consent_facts import Arrival, record_refusals_at_once
from orchestration.ops.store import StoreError, has_store, open_store
from orchestration.serve.webhooks.call import Kept

MOST_AT_ONCE = 50
_log = logging.getLogger("regulars.webhooks")


@dataclass(frozen=True)
class Delivery:
    """What is kept of one request: from which sender, under which id, when."""

    sender: str
    delivery_id: str
    received_at: datetime
    kept: Sequence[Kept]


class Reception:
    """Takes deliveries for one home, those that wait together in one piece of work."""

    def __init__(self, home: Home, settings: Settings) -> None:
        """Look up what is in the inbox; nothing is written yet."""
        self._home = home
        self._settings = settings
        self._inbox = Inbox(home.inbox)
        self._waiting: list[tuple[Delivery, asyncio.Future[bool]]] = []
        self._work: asyncio.Task[None] | None = None

    async def take(self, delivery: Delivery) -> bool:
        """Whether the delivery is on the disk and its refusals are in force."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, done))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._take_waiting())
        return await done

    async def _take_waiting(self) -> None:
        while self._waiting:
            taken = self._waiting[:MOST_AT_ONCE]
            del self._waiting[:MOST_AT_ONCE]
            if await self._tried(taken) is None and len(taken) > 1:
                for each in taken:  # one that cannot be read stops no other
                    await self._tried([each])
            for _, done in taken:
                if not done.done():
                    done.set_result(False)

    async def _tried(self, taken: list[tuple[Delivery, asyncio.Future[bool]]]) -> bool | None:
        """Whether all are taken; None where it may be one of them that cannot be."""
        try:
            await asyncio.to_thread(self.keep, [delivery for delivery, _ in taken])
        except Exception as error:
            # The kind of error only: its text may carry a value.
            reason = error.message if isinstance(error, RegularsError) else type(error).__name__
            _log.error("%s deliveries were not taken: %s", len(taken), reason)
            is_of_all = isinstance(error, (StoreError, OSError, OperationalError))
            return False if is_of_all else None
        for _, done in taken:
            if not done.done():  # whoever asked may be gone
                done.set_result(True)
        return True

    def keep(self, deliveries: Sequence[Delivery]) -> None:
        """Bring deliveries to the disk and their refusals into the ledger.

        Raises:
            RegularsError: the operational store is not there, or not this home's.
            OSError: the disk is full or broken.
        """
        arrivals = []
        for delivery in deliveries:
            for number, document in enumerate(delivery.kept):
                table = _table(document.folder)
                kept = _without_texts(document, table)
                file, content = self._inbox.keep(
                    kept.folder,
                    delivery.sender,
                    body_id(delivery.delivery_id.encode(), str(number).encode()),
                    kept.content,
                    delivery.received_at,
                )
                if table:
                    text = content.decode("utf-8", "backslashreplace")
                    path = f"{ARRIVED}{file}"  # by which the run that reads it calls it
                    arrivals.append(Arrival(f"{kept.folder}.{table.name}", path, text))
        if not arrivals:
            return
        self._require_ops()
        with open_store(self._home) as store:
            record_refusals_at_once(
                store,
                arrivals,
                as_of=max(delivery.received_at for delivery in deliveries),
                default_country=self._settings.shop.default_country,
                sms_refusal_ends_everything=self._settings.permission.sms_refusal_ends_everything,
                shops=shop_patterns(self._settings),
            )

    def _require_ops(self) -> None:
        """A store that is gone is not made anew: refusals in it would be known to no gate."""
        if not has_store(self._home):
            raise StoreError(f"The operational store {self._home.ops} is gone.")


def _table(folder: str) -> TableSpec | None:
    """The table that JSON files of a folder feed; None where no source reads the folder."""
    source = SOURCES.get(folder)
    return source.tables[0] if isinstance(source, FolderSource) else None


def _without_texts(kept: Kept, table: TableSpec | None) -> Kept:
    """The same with the verdict in place of a text of which only that is kept."""
    if table is None or not is_reduced(table):
        return kept
    listed = json.loads(kept.content)
    documents = [json.dumps(row, ensure_ascii=False) for row in listed]
    content = f"[{', '.join(reduced_documents(table, documents))}]"
    return replace(kept, content=content.encode())
