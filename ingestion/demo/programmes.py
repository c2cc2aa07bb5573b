"""The pretend shop's texts and push messages: who allowed them, what is sent, what people do then.

Belongs here: campaigns by SMS and push, their messages and how people answer, as numbers. Does not
belong here: letters (mailing), the log of consent (permissions) or the files (write_programmes).

Each campaign has a stream of chance of its own and draws for everybody, so the days after the
world's first moment only add campaigns, and nothing that was drawn before them changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ingestion.demo import clickstream, permissions
from ingestion.demo.calendar import DAY, HOUR, Calendar, Floats, Ints, joined
from ingestion.demo.identifiers import FAMILY, NOBODY, PERSONAL
from ingestion.demo.mailing import NEVER
from ingestion.demo.people import Bools
from ingestion.demo.purchases import phone_at
from ingestion.demo.world import Block

SMS, PUSH = range(2)
CHANNELS = ("sms", "push")
_EVERY = (30 * DAY, 14 * DAY)
_AFTER_END = DAY + 11 * HOUR
_SENDS_TO = 0.9
_SENDING_LASTS = 1800
_ANSWERS_WITHIN = 2 * DAY
_STREAMS = 210  # of chance; the world's and the later year's have lower numbers
_FIRST_CAMPAIGN = 10_000  # their numbers count from the world's end, and go below zero
# Shares of the messages; clicks and openings are those of the keenest reader
_FAILS, _CLICKS, _OPENS = 0.02, 0.25, 0.6
_STOPS, _REPLIES, _SWITCHES_OFF = 0.02, 0.03, 0.008
STOPS = ("STOP", "Stop please", "STOPALL", "unsubscribe me")
ANSWERS = ("Thanks, the tea was lovely", "Which of your shops has it?", "Can I order it by phone?")


@dataclass(frozen=True)
class Campaign:
    """One text or push message to everybody who allowed it."""

    channel: int
    number: int
    campaign_id: str
    sent: int


@dataclass(frozen=True)
class Sent:
    """One row per message; 0 where something did not happen.

    `address` is the row of the phone (SMS) or of the device (push), `campaign` that of the list.
    `stopped` is a reply that asks to stop, or the browser's own switch; `text` numbers the reply.
    """

    person: Ints
    channel: Ints
    address: Ints
    campaign: Ints
    sent: Ints
    delivered: Ints
    failed: Ints
    opened: Ints
    clicked: Ints
    replied: Ints
    stopped: Ints
    text: Ints
    is_gone: Bools

    @classmethod
    def joined(cls, *parts: Sent) -> Sent:
        """All messages of the parts, in time order."""
        return joined(cls, parts, "sent", "channel", "person")


@dataclass(frozen=True)
class Permitted:
    """Who may be written to on a channel, by person: at which address, since when, until when."""

    address: Ints
    since: Ints
    until: Ints


def campaigns(calendar: Calendar, until: int) -> list[Campaign]:
    """Every campaign of the calendar and, at the same distances, of the time after it."""
    made = []
    for channel, every in enumerate(_EVERY):
        first = -((calendar.end + _AFTER_END - calendar.start) // every)
        for number in range(first, (until - calendar.end) // every + 1):
            sent = calendar.end + _AFTER_END + number * every
            if sent < until:
                day = datetime.fromtimestamp(sent, UTC)
                made.append(Campaign(channel, number, f"{CHANNELS[channel]}-{day:%Y-%m-%d}", sent))
    return made


def send(block: Block, listed: list[Campaign]) -> tuple[Sent, tuple[Permitted, Permitted]]:
    """Send the campaigns in turn; whoever stops one channel gets nothing more on it."""
    permitted = (_texted(block), _pushed(block))
    parts = [_none()]
    for row, campaign in enumerate(listed):
        rng = np.random.default_rng(
            [
                block.seed,
                block.index,
                _STREAMS + campaign.channel,
                campaign.number + _FIRST_CAMPAIGN,
            ]
        )
        chances = rng.random((8, len(block.people)))
        parts.append(_react(block, campaign, row, permitted[campaign.channel], chances))
    return Sent.joined(*parts), permitted


def _none() -> Sent:
    columns: dict[str, Any] = {
        name: np.zeros(0, dtype=np.int64) for name in Sent.__dataclass_fields__
    }
    return Sent(**(columns | {"is_gone": np.zeros(0, dtype=np.bool_)}))


def _texted(block: Block) -> Permitted:
    """By the log of consent: yes at the till or the checkout, no in the preference centre."""
    n, consents = len(block.people), block.consents
    address, since, until = np.full(n, NOBODY), np.full(n, NEVER), np.full(n, NEVER)
    is_text = consents.channel == permissions.SMS_CHANNEL
    # Backwards, so that the first of a person's consents stands
    yes = np.flatnonzero(is_text & (consents.status == permissions.GRANTED))[::-1]
    address[consents.person[yes]] = consents.phone[yes]
    since[consents.person[yes]] = consents.occurred[yes]
    no = np.flatnonzero(is_text & (consents.status != permissions.GRANTED))[::-1]
    until[consents.person[no]] = consents.occurred[no]
    return Permitted(address, since, until)


def _pushed(block: Block) -> Permitted:
    """By the browser in which somebody allowed it, for the first time on a device of their own."""
    n, events, visits = len(block.people), block.events, block.visits
    address, since = np.full(n, NOBODY), np.full(n, NEVER)
    rows = np.flatnonzero(events.kind == clickstream.PUSH)
    visit = events.visit[rows]
    role = block.ids.device_role[visits.device[visit]]
    own = (visits.person[visit] >= 0) & ((role == PERSONAL) | (role == FAMILY))
    rows, visit = rows[own], visit[own]
    latest_first = np.lexsort((visit, events.received[rows]))[::-1]
    rows, visit = rows[latest_first], visit[latest_first]
    address[visits.person[visit]] = visits.device[visit]
    since[visits.person[visit]] = events.received[rows]
    return Permitted(address, since, np.full(n, NEVER))


def _react(
    block: Block, campaign: Campaign, row: int, permitted: Permitted, chances: Floats
) -> Sent:
    """One campaign's messages. Ends the permission of those who say stop or are gone."""
    goes, delay, fails, opens, reads, clicks, answers, says = chances
    is_text = campaign.channel == SMS
    may = (permitted.since < campaign.sent) & (permitted.until > campaign.sent)
    everybody = np.arange(len(block.people))
    if is_text:
        # A number that was given up is another person's
        may &= phone_at(block.ids, everybody, np.full(len(may), campaign.sent)) == permitted.address
    p = np.flatnonzero(may & (goes < _SENDS_TO))
    n = len(p)
    nothing = np.zeros(n, dtype=np.int64)
    sent = campaign.sent + (delay[p] * _SENDING_LASTS).astype(np.int64)
    lost = block.ids.cookie_lost[p]
    is_gone = np.zeros(n, dtype=np.bool_)
    if not is_text:
        is_first = permitted.address[p] == block.ids.first_device[p]
        is_gone = is_first & (lost >= 0) & (lost < sent)
    failed = is_gone | (fails[p] < _FAILS)
    engagement = block.people.engagement[p]
    wait = np.minimum(-np.log1p(-reads[p]) * 2 * HOUR, _ANSWERS_WITHIN).astype(np.int64) + 60
    sees = ~failed & (is_text | (opens[p] < _OPENS * engagement))
    clicked = sees & (clicks[p] < _CLICKS * (engagement if is_text else 1.0))
    stops = sees & (answers[p] < (_STOPS if is_text else _SWITCHES_OFF))
    replies = sees & (stops | (answers[p] < _STOPS + _REPLIES)) & is_text
    replied = np.where(replies, sent + wait + 90, 0)
    stopped = np.where(stops, sent + wait + 90, 0)
    ends = np.where(stops, stopped, np.where(is_gone, sent, permitted.until[p]))
    permitted.until[p] = np.minimum(permitted.until[p], ends)
    words = np.where(stops, len(STOPS), len(ANSWERS))
    return Sent(
        person=p,
        channel=nothing + campaign.channel,
        address=permitted.address[p],
        campaign=nothing + row,
        sent=sent,
        delivered=np.where(failed, 0, sent + 5),
        failed=np.where(failed, sent + 5, 0),
        opened=nothing if is_text else np.where(sees, sent + wait, 0),
        clicked=np.where(clicked, sent + wait + 20, 0),
        replied=replied,
        stopped=stopped,
        text=(says[p] * words).astype(np.int64),
        is_gone=is_gone,
    )
