"""Messages on any channel: steps are read, and of a reply only whether it asks to stop is kept."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingestion.duckdb import connect
from ingestion.landing.replies import VERDICT
from ingestion.landing.steps import reduced_rejects
from ingestion.sources.messages import MESSAGES
from orchestration.ops.permission import status_words
from orchestration.ops.permission.status_words import Meaning

HEADER = "message_id,channel,identifier_type,identifier_value,event,occurred_at,text\n"
STEP = {
    "message_id": "m1",
    "channel": "SMS",
    "identifier_type": "phone",
    "identifier_value": "+31612345678",
    "event": "sent",
    "occurred_at": "2026-01-01T10:00:00+01:00",
}
SECRET = "melancholy"


def verdict(text: str | None) -> bool:
    with connect() as session:
        row = session.execute(f"select {VERDICT.replace('{v}', 't')} from (select ? as t)", [text])
        return row.fetchone() == ("stop",)


@pytest.mark.parametrize(
    "text",
    [
        *("STOP", "stop.", "Please STOP texting me", "Unsubscribe", "opt-out", "Opt out!", "STOPP"),
        *("Abmelden", "désabonner", "DÉSABONNÉ", "baja", "afmelden", "СТОП", "退订", "no", "Nein!"),
        *("don’t text me again", "take me off your list", "(stop)", "I can't stop loving it"),
        *(
            "ＳＴＯＰ",
            "s t o p",
            "S.T.O.P.",
            "ST\u200bOP",
            "STOPSMS",
            "unsuscribe",
            "opt me out",
            "TD",
        ),
        *("Halt", "aufhören", "arrêtez", "ne plus", "no quiero más", "PARE", "stoppa", "leállítás"),
        *(
            "ストップ",
            "配信を解除",
            "拒收",
            "중지",
            "توقف",
            "הסר",
            "διακοπή",
            "ยกเลิก",
            "रोकें",
            "не пиши",
        ),
    ],
)
def test_a_reply_that_may_ask_to_stop_does(text: str) -> None:
    assert verdict(text)


@pytest.mark.parametrize(
    "text",
    [
        *("No thanks", "nein, danke", "non merci", "No, gracias!", "não quero", "Widerruf"),
        *("RET", "hayır", "R", "نحن: الغاء", "إيقاف", "لا", "לא", "いいえ", "退会", "不要です"),
        *("그만 보내세요", "หยุด", "хватит", "відписатися", "Όχι", "ABMELDUNG", "désinscrite"),
    ],
)
def test_so_does_a_polite_no_and_the_words_of_other_languages(text: str) -> None:
    assert verdict(text)


def test_so_does_every_word_by_which_lists_refuse() -> None:
    rows = csv.DictReader(status_words.SEED.read_text("utf-8").splitlines())
    refusals = {*status_words.REFUSALS, Meaning.NO} - {Meaning.HARD_BOUNCE, Meaning.GPC}
    words = [r["word"] for r in rows if r["meaning"] in refusals and r["language"] != "any"]
    with connect() as session:
        session.execute("create table replies as select unnest(?) as text", [words])
        query = f"select text from replies where {VERDICT.replace('{v}', 'text')} = ''"
        assert session.execute(query).fetchall() == []
        session.execute("update replies set text = ' ' || upper(text) || '! '")
        assert session.execute(query).fetchall() == []
    assert len(words) > 300


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "thanks", "no problem, see you on Friday", "weekend", "nonstop fun", "5", "👍"),
        *("a b c d", "how long is the duration?", "please remove the wrong item", "ありがとう"),
        *("0", "10", "yes", "Is it new?", "Nothing else, thank you", "danke", "merci beaucoup"),
    ],
)
def test_any_other_reply_does_not(text: str | None) -> None:
    assert not verdict(text)


def test_steps_are_read_from_every_format(shop: Any, make: Any) -> None:
    shop.write("messages/a.jsonl", make.lines(STEP, {**STEP, "event": "replied", "text": "Stop"}))
    shop.write("messages/b.csv", HEADER + "m2,push,device,d-1,CLICKED,2026-01-01 10:00,\n")
    count = shop.run("messages")["messages"]
    assert make.four(count) == (3, 3, 0, 0)
    assert shop.query(
        "select message_id, channel, event, occurred_at::varchar, is_opt_out_reply "
        "from raw_messages.messages order by all"
    ) == [
        ("m1", "sms", "replied", "2026-01-01 09:00:00", True),
        ("m1", "sms", "sent", "2026-01-01 09:00:00", False),
        ("m2", "push", "clicked", "2026-01-01 10:00:00", False),
    ]
    assert make.four(shop.run("messages")["messages"]) == (0, 0, 0, 0)


def test_what_cannot_be_used_is_put_aside_with_its_reason(shop: Any, make: Any) -> None:
    bad = [
        {**STEP, "channel": "pigeon"},
        {**STEP, "event": "mislaid"},
        {**STEP, "occurred_at": ""},
        {**STEP, "identifier_value": None},
        {k: v for k, v in STEP.items() if k != "message_id"},
    ]
    shop.write("messages/a.jsonl", make.lines(STEP, *bad[:4]))
    good = [{**STEP, "message_id": f"m{number}"} for number in range(2, 6)]
    shop.write("messages/b.jsonl", make.lines(*good, bad[4]))
    assert make.four(shop.run("messages")["messages"]) == (10, 5, 5, 0)
    assert shop.query("select field, reason from raw_messages.quarantine order by all") == [
        ("channel", "unknown_value"),
        ("event", "unknown_value"),
        ("identifier_value", "missing_value"),
        ("message_id", "missing_value"),
        ("occurred_at", "missing_value"),
    ]


def test_the_text_of_a_reply_is_kept_nowhere(shop: Any, make: Any) -> None:
    reply = {**STEP, "event": "replied", "text": f"so much {SECRET}, please stop"}
    row = f"m9,sms,phone,+31612345678,replied,2026-01-01,so much {SECRET}"
    shop.write(
        "messages/a.jsonl",
        make.lines(
            *(STEP, reply, {**reply, "event": "mislaid"}, {**reply, "text": {"body": SECRET}}),
            '{"message_id": "m3", "text": "so \\"much\\" ' + SECRET,
            '{"message_id": "m4", "text": {"body": "' + SECRET + '"',
        ),
    )
    shop.write("messages/b.csv", HEADER + row + "\n" + row + ", stop\n" + row[1:] + "\n")
    shop.write("messages/c.csv", HEADER.replace("channel", "chanel") + row + "\n")
    shop.write("messages/d.json", '[{"text": "' + SECRET + ' stop"}, {"text":')
    shop.write("messages/e.jsonl", make.lines(*({**STEP, "variant": str(n)} for n in range(9))))
    count = shop.run("messages")["messages"]
    assert count.loaded == 14
    assert count.quarantined == count.received - count.loaded
    kept = shop.query("select raw_text from raw_messages.quarantine where raw_text <> ''")
    assert sum("stop" in text for (text,) in kept) == 3  # the refusals among them stay
    for file in Path(shop.root / "home").rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file.name


def test_a_broken_file_keeps_what_is_no_free_text() -> None:
    broken = (
        'message_id;channel;event;text\nm1;sms;replied;how are you today\nm2;sms;replied;"STOP now"'
    )
    with connect() as session:
        table = reduced_rejects(session, MESSAGES, pa.table({"raw_text": [broken]}))
    assert table.to_pylist() == [
        {"raw_text": "message_id,channel,event,text\nm1,sms,replied,\nm2,sms,replied,stop"}
    ]
