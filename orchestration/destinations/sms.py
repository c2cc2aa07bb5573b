"""The destination `sms`: one text message per person, sent by Twilio.

Calls: `POST /2010-04-01/Accounts/{sid}/Messages.json`, once per message, as a form of `To`, `Body`
and the sender; later `GET .../Messages/{message}.json`, once per message, until it is at its end.
For `forget`, and for nothing else, the messages of a number are listed and deleted.
Auth: basic, by the account (or an API key of it) and the secret in the variable `secret_env`.
Limits: `batch_size` messages of a batch, `calls_per_second` batches.
A repeat is a second message: Twilio has no idempotency key. A yes means it was queued; it can be
asked by the message's id. Error 21610 says that the person replied STOP: recorded at once.
Not done: scheduling, media, prices (docs/channels/sms.md).

Does not belong here: who gets a message (the gate, the decision), its words (`messages`), replies
(`serve`). Data flow: outbox rows -> Messages; statuses there -> outcomes.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestration.destinations.base import (
    Acknowledgement,
    Audience,
    Batch,
    Idempotency,
    Identifiers,
    Limits,
    Outcome,
    Rate,
    RetryLaterError,
    Row,
    Withdrawal,
)
from orchestration.destinations.http import (
    STAY_QUEUED,
    Answer,
    AnswerError,
    AnswerLostError,
    HttpClient,
    secret,
)
from orchestration.destinations.one_by_one import send_one_by_one
from orchestration.destinations.options import checked_options
from orchestration.home.layout import Home

SENDS_MESSAGES = True
VERSION = "/2010-04-01"
PAGE = 1_000
SENDERS = r"^(\+\d{7,15}|MG[0-9a-f]{32}|[A-Za-z0-9 ]{1,11})?$"
OPTED_OUT = 21610
# Errors that are of one message, with what the outbox says of it. Any other is of the account or
# of how it is called, and ends the batch.
OF_A_MESSAGE: Mapping[int, str] = {
    OPTED_OUT: "opted_out",
    21211: "no_such_number",
    21214: "no_such_number",
    21217: "no_such_number",
    21265: "no_such_number",
    21408: "country_not_enabled",
    21612: "no_route",
    21614: "no_mobile_number",
    21617: "too_long",
}
# Why a message did not arrive, by Twilio's error code.
UNDELIVERED: Mapping[int, str] = {
    OPTED_OUT: "opted_out",
    30003: "unreachable",
    30004: "blocked",
    30005: "unknown_number",
    30006: "landline",
    30007: "filtered",
    30008: "undelivered",
}
ARRIVED = ("delivered", "read")
LOST = ("undelivered", "failed", "canceled")
# Some carriers never say that a message arrived: after a day, that they took it is all there is.
CARRIER_SAYS_MORE = timedelta(days=1)


class Options(BaseModel):
    """What `[destinations.<name>.options]` may say.

    Attributes:
        account_sid: the account, AC and 32 digits.
        api_key_sid: an API key of it (SK…), whose secret is then in `secret_env`.
        sender: a number (+…), a name of up to 11 letters, or a Messaging Service (MG…).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    account_sid: Annotated[str, Field(pattern=r"^(AC[0-9a-f]{32})?$")] = ""
    api_key_sid: Annotated[str, Field(pattern=r"^(SK[0-9a-f]{32})?$")] = ""
    secret_env: Annotated[str, Field(min_length=1)] = "TWILIO_AUTH_TOKEN"  # noqa: S105 - its name
    sender: Annotated[str, Field(pattern=SENDERS)] = ""
    base_url: str = "https://api.twilio.com"
    batch_size: Annotated[int, Field(ge=1, le=50)] = 10
    calls_per_second: Annotated[int, Field(ge=1)] | None = None
    allow_private: bool = False

    @model_validator(mode="after")
    def _are_enough(self) -> Options:
        for name in ("account_sid", "sender"):
            if not getattr(self, name):
                raise ValueError(f"give `{name}`")
        return self


class SmsDestination:
    """Sends text messages."""

    channels = frozenset({"sms"})
    idempotency = Idempotency.NONE
    acknowledgement = Acknowledgement.ASKABLE
    patience = timedelta(days=3)

    def __init__(self, name: str, options: Options, now: Callable[[], datetime]) -> None:
        """Nothing is reached until the first message; the address is judged."""
        self.name = name
        rates = (Rate(options.calls_per_second, 1.0),) if options.calls_per_second else ()
        self.limits = Limits(options.batch_size, rates=rates)
        self._options = options
        self._now = now
        self._path = f"{VERSION}/Accounts/{options.account_sid}/Messages"
        _ = self._client

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """Send each message on its own; what follows one without an answer is left to later."""
        return send_one_by_one(
            batch.rows,
            lambda row: self.send(row.key, _to(row.payload), row.payload.get("message")),
        )

    def send(self, key: str, to: str, message: Any) -> Outcome:
        """Hand over one message.

        Raises:
            RegularsError: as `http` says, or an error of the account.
        """
        if not to or not isinstance(message, str) or not message:
            return Outcome(key, "rejected", "no_message" if to else "no_address")
        form = {"To": to, "Body": message, self._sender_field: self._options.sender}
        answer = self._client.call("POST", f"{self._path}.json", form=form, accept=(400,))
        if answer.status == 400:
            return self._refused(key, to, answer)
        sid = answer.json().get("sid")
        if not isinstance(sid, str) or not sid:
            raise AnswerLostError(self.name, "no_message_id")
        return Outcome(key, "accepted", ticket=sid)

    def try_out(self, address: str, message: Any, key: str) -> Outcome:
        """Send one message to somebody of the shop."""
        return self.send(key, address, message)

    def ask(self, segment: str, ticket: str, rows: Sequence[Row]) -> Sequence[Outcome]:  # noqa: ARG002
        """What became of a message."""
        answer = self._client.call("GET", f"{self._path}/{ticket}.json", accept=(404,))
        content = {} if answer.status == 404 else answer.json()
        return [self._outcome(row, content) for row in rows]

    def finish(self, audience: Audience) -> None:
        """Nothing to do: there is no audience."""

    def preview(self, segment: str) -> str:
        """By which sender messages of this segment would leave."""
        return f"a text message to each person of `{segment}` from {self._options.sender}"

    def stays_in(self, folder: Path) -> bool:  # noqa: ARG002 - an account is in no folder
        """Only an account on this machine, a fake, is the pretend shop's own."""
        return self._client.is_local

    def erase(self, people: Sequence[Identifiers]) -> Sequence[Outcome]:
        """Delete what Twilio keeps of the messages to and from a number."""
        return [self._erase(person) for person in people]

    def _erase(self, person: Identifiers) -> Outcome:
        try:
            for number in person.values.get("phone", ()):
                for sid in {*self._messages("To", number), *self._messages("From", number)}:
                    self._client.call("DELETE", f"{self._path}/{sid}.json", accept=(404,))
        except RetryLaterError as error:
            return Outcome(person.key, "retry", error.reason)
        except AnswerLostError as error:
            return Outcome(person.key, "retry", error.reason)
        return Outcome(person.key, "delivered")

    def _messages(self, field: str, number: str) -> Iterator[str]:
        """The ids of all messages to or from a number."""
        query = urlencode({field: number, "PageSize": PAGE})
        path: str | None = f"{self._path}.json?{query}"
        while path:
            page = self._client.json("GET", path)
            yield from [str(each["sid"]) for each in page["messages"]]
            path = page.get("next_page_uri")

    def _refused(self, key: str, to: str, answer: Answer) -> Outcome:
        code = answer.json().get("code")
        reason = OF_A_MESSAGE.get(code) if isinstance(code, int) else None
        if reason is None:
            code_in_words = f" (Twilio's error {code})" if isinstance(code, int) else ""
            raise AnswerError(
                self.name,
                400,
                f"The destination `{self.name}` takes no message as it is set up{code_in_words}.",
                f"Look it up at https://www.twilio.com/docs/api/errors; {STAY_QUEUED}",
            )
        return Outcome(key, "rejected", reason, withdrawal=self._withdrawal(code, to))

    def _outcome(self, row: Row, content: Mapping[str, Any]) -> Outcome:
        status, code = content.get("status"), content.get("error_code")
        if status in ARRIVED or (status == "sent" and self._is_all(content)):
            return Outcome(row.key, "delivered")
        if status in LOST:
            reason = UNDELIVERED.get(code, "undelivered") if isinstance(code, int) else str(status)
            withdrawal = self._withdrawal(code, _to(row.payload))
            return Outcome(row.key, "rejected", reason, withdrawal=withdrawal)
        return Outcome(row.key, "accepted")

    def _is_all(self, content: Mapping[str, Any]) -> bool:
        """Whether the carrier, which took the message, will say no more."""
        try:
            updated = parsedate_to_datetime(str(content.get("date_updated")))
        except ValueError:
            return False
        return updated + CARRIER_SAYS_MORE <= self._now()

    def _withdrawal(self, code: Any, to: str) -> Withdrawal | None:
        if code != OPTED_OUT or not to:
            return None
        at = self._now().replace(tzinfo=None)
        return Withdrawal("phone", to, "sms", "*", "unsubscribed", at)

    @property
    def _sender_field(self) -> str:
        sender = self._options.sender
        is_service = sender.startswith("MG") and len(sender) > 11
        return "MessagingServiceSid" if is_service else "From"

    @cached_property
    def _client(self) -> HttpClient:
        options = self._options
        return HttpClient(
            self.name,
            options.base_url,
            repeatable=False,
            headers=self._authorization,
            credentials=options.secret_env,
            allow_private=options.allow_private,
        )

    def _authorization(self) -> Mapping[str, str]:
        options = self._options
        token = secret(self.name, "secret_env", options.secret_env)
        who = options.api_key_sid or options.account_sid
        return {"authorization": f"Basic {base64.b64encode(f'{who}:{token}'.encode()).decode()}"}


def create(name: str, options: dict[str, Any], home: Home) -> SmsDestination:  # noqa: ARG001
    """The destination with these options.

    Raises:
        UsageError: an option is missing, unknown or has a wrong value.
    """
    checked = checked_options(Options, name, options)
    return SmsDestination(name, checked, lambda: datetime.now(UTC))


def _to(payload: Mapping[str, Any]) -> str:
    return str(payload.get("phone") or "")
