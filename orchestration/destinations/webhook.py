"""The `webhook` destination: each batch as one signed POST to an address of the shop's choice.

Calls: `POST <url>`, once per batch, as docs/channels/webhook.md shows it. The body has the rows in
order, each with its key, operation, version and payload, and nothing that differs when the same
rows are sent again. Signed as Standard Webhooks says; `webhook-id` is a digest of the body, so a
repeat has the id of the first, and each row's key stays the same in any batch.
Auth: `secret_env` names the variable with the signing secret (base64, with or without `whsec_`; two
while it is changed);
the address stands in `url`, or in the variable that `url_env` names where it is a secret too.
Limits: `batch_size` rows and `max_bytes` of a body, `calls_per_second`. Not done: erasing and
reading back (docs/channels/webhook.md).

Does not belong here: who may be sent anything (the gate), where may be called (`http`).
Data flow: outbox rows -> POST.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, model_validator
from standardwebhooks import Webhook

from ingestion.errors import UsageError
from ingestion.vocabulary import CHANNELS
from orchestration.destinations.base import (
    Acknowledgement,
    Audience,
    Batch,
    Idempotency,
    Limits,
    Outcome,
    Rate,
    RetryLaterError,
    Row,
    delivered,
    merged_ids,
    vendors_code,
)
from orchestration.destinations.http import (
    STAY_QUEUED,
    Answer,
    AnswerError,
    HttpClient,
    as_json,
    secret,
)
from orchestration.destinations.options import checked_options
from orchestration.home.layout import Home

EVENT = "audience.changed"
KEY_BYTES = 24  # of a signing secret, at least (Standard Webhooks)
ENVELOPE_BYTES = 1_024  # what a body has around its rows, at most
NO_RECEIVER = frozenset({404, 405, 410})  # the address is wrong, not the rows


class Options(BaseModel):
    """What `[destinations.<name>.options]` may say; secrets as names of environment variables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = ""
    url_env: str = ""
    secret_env: str = ""
    batch_size: Annotated[int, Field(ge=1)] = 500
    max_bytes: Annotated[int, Field(ge=4 * ENVELOPE_BYTES)] = 1_000_000
    calls_per_second: Annotated[int, Field(ge=1)] | None = None
    allow_private: bool = False
    columns: list[str] = []

    @model_validator(mode="after")
    def _are_enough(self) -> Options:
        if bool(self.url) == bool(self.url_env):
            raise ValueError("give `url` or `url_env`, one of them")
        if not self.secret_env:
            raise ValueError("give `secret_env`: the variable that holds the signing secret")
        return self


class WebhookDestination:
    """Posts audiences' changes to a receiver."""

    channels = frozenset(CHANNELS)
    idempotency = Idempotency.KEY
    acknowledgement = Acknowledgement.APPLIED

    def __init__(self, name: str, options: Options, now: Callable[[], datetime]) -> None:
        """Nothing is reached until the first delivery; an address in the settings is judged."""
        self.name = name
        room = options.max_bytes - ENVELOPE_BYTES
        rates = (Rate(options.calls_per_second, 1.0),) if options.calls_per_second else ()
        self.limits = Limits(options.batch_size, batch_bytes=room, row_bytes=room, rates=rates)
        self._options = options
        self._now = now
        if options.url:
            _ = self._client

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """Post one batch."""
        if not batch.rows:
            return []
        body = body_of(batch)
        answer = self._client.call(
            "POST", content=body, headers=self._signed(body), accept=range(400, 500)
        )
        if httpx.codes.is_success(answer.status):
            return _taken(batch.rows, answer)
        return self._not_taken(batch.rows, answer)

    def finish(self, audience: Audience) -> None:
        """Nothing to do once every row has been handed over."""

    def preview(self, segment: str) -> str:
        """To which server rows of this segment would be posted; its address may be a secret."""
        to = httpx.URL(self._options.url).host or f"the address in {self._options.url_env}"
        return f"signed POSTs of `{segment}` to {to}"

    def stays_in(self, folder: Path) -> bool:  # noqa: ARG002 - a receiver is in no folder
        """Only a receiver on this machine is the pretend shop's own."""
        return self._client.is_local

    def size(self, row: Row) -> int:
        """The bytes of a row in a body, with its comma."""
        return len(as_json(_row(row))) + 1

    @cached_property
    def _client(self) -> HttpClient:
        options = self._options
        return HttpClient(
            self.name,
            options.url or secret(self.name, "url_env", options.url_env),
            repeatable=True,
            credentials=options.secret_env,
            allow_private=options.allow_private,
        )

    def _signed(self, body: bytes) -> Mapping[str, str]:
        """The headers of Standard Webhooks."""
        message_id, moment = f"msg_{hashlib.sha256(body).hexdigest()[:32]}", self._now()
        signatures = [key.sign(message_id, moment, body.decode()) for key in self._keys()]
        return {
            "content-type": "application/json",
            "user-agent": "regulars",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(moment.replace(tzinfo=UTC).timestamp())),
            "webhook-signature": " ".join(signatures),
        }

    def _keys(self) -> list[Webhook]:
        """The signing secrets: two while the receiver changes from one to the other."""
        texts = secret(self.name, "secret_env", self._options.secret_env).split()
        return [self._key(text.removeprefix("whsec_")) for text in texts]

    def _key(self, text: str) -> Webhook:
        with suppress(binascii.Error, ValueError):
            key = base64.b64decode(text, validate=True)
            if len(key) >= KEY_BYTES:
                return Webhook(key)
        raise UsageError(
            f"The environment variable {self._options.secret_env} of the destination `{self.name}`"
            f" holds no base64 of {KEY_BYTES} bytes or more.",
            "Make a secret with `openssl rand -base64 32` and give the receiver the same.",
        )

    def _not_taken(self, rows: Sequence[Row], answer: Answer) -> Sequence[Outcome]:
        """A 4xx: the receiver took nothing, because of these rows or of how they are sent."""
        status = answer.status
        if status in {401, 403}:
            raise AnswerError(
                self.name,
                status,
                f"The receiver of `{self.name}` does not accept the signature ({status}).",
                f"Give it the secret of {self._options.secret_env}, and check its clock;"
                f" {STAY_QUEUED}",
            )
        if status in NO_RECEIVER:
            gone = "is gone for good" if status == 410 else "takes no POST at this address"
            raise AnswerError(
                self.name,
                status,
                f"The receiver of `{self.name}` {gone} ({status}).",
                f"Correct its address, or set `enabled = false` for it; {STAY_QUEUED}",
            )
        if status in {408, 425, 429}:
            raise RetryLaterError(f"http_{status}", answer.wait_seconds)
        named = _named(answer) if _is_json(answer) else {}
        if not named:
            return [Outcome(row.key, "rejected", f"http_{status}") for row in rows]
        return [named.get(row.key) or Outcome(row.key, "retry", f"http_{status}") for row in rows]


def create(name: str, options: dict[str, Any], home: Home) -> WebhookDestination:  # noqa: ARG001
    """The destination with these options.

    Raises:
        UsageError: an option is unknown or wrong, or the address may not be called.
    """
    checked = checked_options(Options, name, options)
    return WebhookDestination(name, checked, lambda: datetime.now(UTC))


def body_of(batch: Batch) -> bytes:
    """What is posted: the same bytes whenever the same rows are sent."""
    return as_json(
        {
            "type": EVENT,
            "segment": batch.segment,
            "sync_run_id": batch.sync_run_id,
            "sync_started_at": f"{batch.started_at.isoformat()}Z",
            "batch": batch.number,
            "rows": [_row(row) for row in batch.rows],
        }
    )


def _row(row: Row) -> dict[str, Any]:
    return {
        "key": row.key,
        "operation": row.operation,
        "version": row.version,
        "customer_id": row.customer_id,
        "merged_ids": sorted(merged_ids(row)),
        "payload": dict(row.payload),
    }


def _taken(rows: Sequence[Row], answer: Answer) -> Sequence[Outcome]:
    """A 2xx: all rows arrived, but those that a JSON answer names."""
    if not _is_json(answer):
        if answer.is_page:
            raise RetryLaterError("html_answer")
        return list(delivered(rows))
    named = _named(answer)
    return [named.get(row.key) or Outcome(row.key, "delivered") for row in rows]


def _is_json(answer: Answer) -> bool:
    kind = str(answer.headers.get("content-type", "")).partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _named(answer: Answer) -> dict[str, Outcome]:
    """The outcomes that an answer gives, by row: `{"rows": [{"key", "status", "reason"}]}`.

    What it says in another shape says nothing of a row; a status that is none is tried again.
    """
    content = answer.json() if answer.body else {}
    entries = content.get("rows") if isinstance(content, dict) else None
    outcomes = {}
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("key"), str):
            outcomes[entry["key"]] = _outcome(entry["key"], entry)
    return outcomes


def _outcome(key: str, entry: Mapping[str, Any]) -> Outcome:
    status, reason = entry.get("status"), entry.get("reason")
    if status not in ("delivered", "retry", "rejected"):
        return Outcome(key, "retry", "unreadable_answer")
    return Outcome(key, status, vendors_code(reason, ""))
