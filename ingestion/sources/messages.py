"""Messages: the steps of messages on any channel, from whatever system sent them.

What: sent, delivered, opened, clicked, failed, bounced, unsubscribed and replied, one row each.
Format: CSV, JSON Lines or Parquet. Key: message_id, channel, identifier, event, occurred_at, url.
Lateness: rows of any age are taken.
Bad day: no message, person, channel or time, or an unknown event: quarantine; a refusal counts from
there too. Of a reply's text it is only kept whether it asks to stop: the text itself reaches
neither the raw table nor quarantine.
Data flow: DIR/messages/ -> raw_messages.messages
"""

from __future__ import annotations

from ingestion.duckdb import literal
from ingestion.files.source import FolderSource
from ingestion.landing.fields import IDENTIFIER_COLUMNS, LOWER, Column, TableSpec
from ingestion.vocabulary import CHANNELS

EVENTS = (
    "sent",
    "delivered",
    "opened",
    "clicked",
    "failed",
    "bounced",
    "unsubscribed",
    "replied",
)

# What a reply must hold, anywhere in it, to end messages: the words that telephone companies act
# on, in the languages that we know, and plain sentences. Where the guess is wrong, we are silent.
_WORDS = (
    *(
        "stop",
        "stopall",
        "stopp",
        "unsubscribe",
        "unsubscribed",
        "unsub",
        "quit",
        "cancel",
        "end",
        "revoke",
    ),
    *("optout", "opt out", "opt-out", "opt_out", "remove me", "take me off", "leave me alone"),
    *("no more messages", "no more texts", "no more emails", "do not contact", "don't contact"),
    *("do not text", "don't text", "do not email", "don't email", "do not message"),
    *("abmelden", "abgemeldet", "abbestellen", "stoppen", "keine nachrichten", "keine werbung"),
    *("arret", "arreter", "desabonner", "desabonne", "desinscrire", "desinscrit", "desinscription"),
    *("baja", "alto", "cancelar", "detener", "parar", "sair", "remover"),
    *("afmelden", "uitschrijven", "annulla", "cancella", "disiscrivimi", "basta"),
    *("wypisz", "rezygnuje", "avsluta", "avregistrera", "afmeld", "stans", "lopeta"),
    *("стоп", "отписаться", "отпишите", "отмена"),
)
# As a whole reply these refuse too; within a sentence they may mean anything.
_WHOLE_REPLIES = ("no", "nope", "nein", "non", "nee", "não", "nao", "nie", "nej", "ei", "нет")
_ANYWHERE = ("退订", "停止", "配信停止", "수신거부")

OPT_OUT = "stop"
_ANY_WORD = rf"(^|[^\p{{L}}\p{{N}}])({'|'.join(_WORDS)})([^\p{{L}}\p{{N}}]|$)"
_WHOLE = rf"^[^\p{{L}}\p{{N}}]*({'|'.join(_WHOLE_REPLIES)})[^\p{{L}}\p{{N}}]*$"
_FOLDED = "lower(strip_accents(replace({v}, '’', '''')))"
VERDICT = (
    f"case when regexp_matches({_FOLDED}, {literal(_ANY_WORD)}) "
    f"or regexp_matches({_FOLDED}, {literal(_WHOLE)}) "
    f"or regexp_matches({{v}}, {literal('|'.join(_ANYWHERE))}) "
    f"then {literal(OPT_OUT)} else '' end"
)

MESSAGES = TableSpec(
    name="messages",
    envelopes=("messages", "data"),
    description="One row per version of a step of a message.",
    may_refuse=True,
    columns=(
        Column("message_id", required=True, expected=True),
        Column("channel", required=True, expected=True, allowed=CHANNELS, transform=LOWER),
        *IDENTIFIER_COLUMNS,
        Column("event", required=True, expected=True, allowed=EVENTS, transform=LOWER),
        Column("occurred_at", "timestamp", required=True, expected=True),
        Column("campaign_id"),
        Column("flow_id"),
        Column("message_kind", transform=LOWER),
        Column("segment"),
        Column("variant"),
        Column("url"),
        Column("reason", kept_as_written=True),
        Column("text", reduced=VERDICT, stored=False, is_content=True),
    ),
    derived=(
        (
            "is_opt_out_reply",
            "boolean",
            # What the shop wrote may say how to stop; whatever else was written, a person did.
            f"coalesce(text, '') = {literal(OPT_OUT)} and coalesce(event, '') not in "
            "('sent', 'delivered', 'opened', 'clicked', 'failed', 'bounced')",
        ),
    ),
)

SOURCE = FolderSource("messages", "Steps of messages on any channel.", (MESSAGES,))
