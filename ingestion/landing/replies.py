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
    *("opt me out", "go away", "delete my number", "unsuscribe", "unsubcribe", "unsubscibe"),
    *("no more messages", "no more texts", "no more emails", "do not contact", "don't contact"),
    *("do not text", "don't text", "do not email", "don't email", "do not message"),
    *("abmelden", "abgemeldet", "abbestellen", "stoppen", "keine nachrichten", "keine werbung"),
    *("halt", "aufhoren", "nicht mehr", "in ruhe"),
    *("arret", "arreter", "arretez", "desabonner", "desabonne", "desinscrire", "desinscrit"),
    *("desinscription", "ne plus", "plus de messages"),
    *("baja", "alto", "cancelar", "detener", "parar", "pare", "sair", "remover", "desuscribir"),
    *("no quiero mas", "afmelden", "uitschrijven", "annulla", "cancella", "disiscrivimi", "basta"),
    *("wypisz", "rezygnuje", "avsluta", "avregistrera", "stoppa", "afmeld", "stans", "ikke mer"),
    *("lopeta", "zastavit", "odhlasit", "leallitas", "leiratkozas", "dur", "iptal"),
    *("стоп", "отписаться", "отпишите", "отмена", "не пиши", "не пишите", "διακοπη"),
)
# As a whole reply these refuse too; within a sentence they may mean anything. China's networks take
# T and TD.
_WHOLE_REPLIES = (
    *("no", "nope", "nein", "non", "nee", "não", "nao", "nie", "nej", "ei", "нет"),
    *("t", "td", "stopsms", "stopit", "remove"),
)
# Words of writing that puts no blanks between words, or that no folding above reaches.
_ANYWHERE = (
    *("退订", "退訂", "拒收", "取消", "停止", "解除", "ストップ", "やめて", "수신거부", "중지"),
    *("توقف", "إلغاء", "הסר", "ยกเลิก", "रोकें"),
)
# What may stand within a word and is not seen, and the letters of wide keyboards.
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_WIDE = "".join(chr(code) for code in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B)))
_NARROW = "abcdefghijklmnopqrstuvwxyz" * 2

OPT_OUT = "stop"
_ANY_WORD = rf"(^|[^\p{{L}}\p{{N}}])({'|'.join(_WORDS)})([^\p{{L}}\p{{N}}]|$)"
_WHOLE = rf"^[^\p{{L}}\p{{N}}]*({'|'.join(_WHOLE_REPLIES)})[^\p{{L}}\p{{N}}]*$"
_FOLDED = (
    f"lower(strip_accents(translate({{v}}, {literal('’' + _WIDE + _UNSEEN)},"
    f" {literal(chr(39) + _NARROW)})))"
)
# Letters that stand apart (S.T.O.P) are one word.
_SPELT = r"^[^\p{L}\p{N}]*(\p{L}[^\p{L}\p{N}]+){3,}\p{L}[^\p{L}\p{N}]*$"
_CLOSED_UP = rf"regexp_replace({_FOLDED}, '[^\p{{L}}]', '', 'g')"
VERDICT = (
    f"case when regexp_matches({_FOLDED}, {literal(_ANY_WORD)}) "
    f"or regexp_matches({_FOLDED}, {literal(_WHOLE)}) "
    f"or (regexp_matches({{v}}, {literal(_SPELT)}) "
    f"and regexp_matches({_CLOSED_UP}, {literal(_ANY_WORD)})) "
    f"or regexp_matches({{v}}, {literal('|'.join(_ANYWHERE))}) "
    f"then {literal(OPT_OUT)} else '' end"
)
