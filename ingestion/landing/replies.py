"""What is kept of a reply: whether it may ask to stop.

Belongs here: the words that ask for silence and the SQL of the verdict, one for every source that
takes replies. Does not belong here: putting the verdict in the text's place (`reduction.py`), and
what words of a consent log or a list mean (the seed `status_words`): a reply that is nothing but
one of those that refuse there refuses as well.
"""

from __future__ import annotations

import csv
import re
import unicodedata

from ingestion.config import REPOSITORY
from ingestion.duckdb import literal

_SEED = REPOSITORY / "dbt_project" / "seeds" / "status_words.csv"
_REFUSING = frozenset({"no", "unsubscribed", "denied", "revoked", "manual", "spam_report"})

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
    *(r"abmeld\p{L}*", r"abgemeld\p{L}*", r"abbestell\p{L}*", "austragen", r"widerruf\p{L}*"),
    *(r"widersprech\p{L}*", "kundigen", "stoppen", "keine nachrichten", "keine werbung"),
    *("halt", "aufhoren", "nicht mehr", "in ruhe", "losche mich", "loschen sie"),
    *("arret", "arreter", "arretez", r"desabo\p{L}*", r"desinscri\p{L}*", "retirez"),
    *("laissez-moi", "enlevez", "supprimez", "ne plus", "plus de messages"),
    *("baja", "alto", "cancelar", "detener", "parar", "pare", "sair", "remover", "desuscribir"),
    *("no quiero", "dejen de", "dejame en paz", "borrame", "eliminame", "nao quero"),
    *(r"descadastr\p{L}*", "desinscreva", r"afmeld\p{L}*", r"uitschrijv\p{L}*", "schrijf me uit"),
    *("verwijder mij", "verwijder me", "annulla", "cancella", "cancellami", "cancellatemi"),
    *(r"disiscri\p{L}*", "rimuovi", "rimuovimi", "non scrivetemi", "non scrivermi", "basta"),
    *(r"wypisz\p{L}*", r"rezygn\p{L}*", "avsluta", r"avregistrer\p{L}*", "stoppa", "sluta"),
    *("ta bort mig", "stans", "ikke mer", "avmeld", "slutt", "lopeta", "poista", "en halua"),
    *("zastavit", r"odhlas\p{L}*", "leallitas", r"leiratkoz\p{L}*", "dur", "durdur", "iptal"),
    *("стоп", r"отпи[сш]\p{L}*", "отмена", r"не пиши\p{L}*", "не надо", "хватит"),
    *(r"прекрат\p{L}*", r"відпи[сш]\p{L}*", "στοπ", r"διακοπη\p{L}*", r"διαγραφη\p{L}*"),
    *("الغاء", "ايقاف", "اوقف", "قف", "berhenti", "tu choi", "tuchoi"),
)
# As a whole reply these refuse too; within a sentence they may mean anything. China's networks take
# T, TD, R and N, Turkey's RET.
_NOES = (
    *("no", "nope", "nein", "non", "nee", "nao", "nie", "nej", "nei", "ei", "ne", "nem", "nu"),
    *(
        "hayir",
        "hayır",
        "tidak",
        "нет",
        "ні",
        "οχι",
        "لا",
        "לא",
        "いいえ",
        "いや",
        "不",
        "不用",
        "不用了",
    ),
    *("아니", "아니요", "ไม"),
)
_THANKS = (
    *("thanks", "thank you", "thx", "danke", "merci", "gracias", "grazie", "bedankt", "dank je"),
    *("tack", "tak", "takk", "dziekuje", "obrigado", "obrigada", "kiitos", "dekuji", "koszonom"),
)
_WHOLE_REPLIES = (
    *("t", "td", "r", "n", "tc", "ret", "huy", "batal", "peru", "stopsms", "stopit", "remove"),
    *("kundigung", "loschen", "verwijder", "borrar", "eliminar", "quitar", "supprimer", "odjava"),
)
# Words of writing that puts no blanks between words, or that no folding above reaches.
_ANYWHERE = (
    *("退订", "退訂", "拒收", "取消", "停止", "解除", "ストップ", "やめて", "수신거부", "중지"),
    *("退会", "拒否", "撤回", "不要", "いらない", "送らないで", "别发", "別發", "그만", "거부"),
    *("توقف", "إلغاء", "הסר", "ยกเลิก", "หยุด", "रोकें", "बंद"),
)
# What may stand within a word and is not seen, and the letters of wide keyboards.
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_WIDE = "".join(chr(code) for code in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B)))
_NARROW = "abcdefghijklmnopqrstuvwxyz" * 2


def _folded(word: str) -> str:
    """A word as the SQL below folds a reply."""
    parts = unicodedata.normalize("NFD", word.lower())
    bare = "".join(each for each in parts if unicodedata.category(each) != "Mn")
    return unicodedata.normalize("NFC", bare)


def _words_of_lists() -> list[str]:
    """The words by which lists and consent logs refuse; not the signs, which may be a score."""
    rows = csv.DictReader(_SEED.read_text("utf-8").splitlines())
    refusing = (row for row in rows if row["meaning"] in _REFUSING and row["language"] != "any")
    return sorted({re.escape(_folded(row["word"])) for row in refusing})


OPT_OUT = "stop"
_ANY_WORD = rf"(^|[^\p{{L}}\p{{N}}])({'|'.join(_WORDS)})([^\p{{L}}\p{{N}}]|$)"
_POLITE = rf"({'|'.join(_NOES)})([^\p{{L}}\p{{N}}]+({'|'.join(_THANKS)}))?"
_ALL_WHOLE = "|".join((_POLITE, *_WHOLE_REPLIES, *_words_of_lists()))
_WHOLE = rf"^[^\p{{L}}\p{{N}}]*({_ALL_WHOLE})[^\p{{L}}\p{{N}}]*$"
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
