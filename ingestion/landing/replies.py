"""What is kept of a reply: whether it may ask to stop.

Belongs here: the words that ask for silence and the SQL of the verdict, one for every source that
takes replies. Does not belong here: putting the verdict in the text's place (`reduction.py`), and
what words of a consent log or a list mean (the seed `status_words`).
"""

from __future__ import annotations

from ingestion.duckdb import literal

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
