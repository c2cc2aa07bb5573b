"""Feedback: what people answer is kept, of a reply only whether it asks to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingestion.duckdb import connect
from ingestion.landing.steps import reduced_rejects
from ingestion.sources.feedback import FEEDBACK

HEADER = "identifier_type,identifier_value,kind,question,answer,occurred_at\n"
ANSWER = {
    "identifier_type": "email",
    "identifier_value": "ann@example.org",
    "kind": "survey",
    "question": "why us",
    "answer": "stop by stop delivery",
    "occurred_at": "2026-01-01T10:00:00Z",
}
SECRET = "melancholy"
REPLY = {**ANSWER, "kind": "Reply", "question": None, "answer": f"so much {SECRET}"}


def test_answers_are_kept_and_replies_become_a_verdict(shop: Any, make: Any) -> None:
    shop.write("feedback/a.jsonl", make.lines(ANSWER, REPLY))
    shop.write(
        "feedback/b.csv",
        HEADER.replace("kind", "Kind")
        + "email,bea@example.org,REPLY,,Please STOP writing,2026-01-02\n"
        + "email,bea@example.org,quiz,size,stopped growing,2026-01-02\n",
    )
    assert make.four(shop.run("feedback")["feedback"]) == (4, 4, 0, 0)
    assert shop.query(
        "select identifier_value, kind, answer from raw_feedback.feedback order by all"
    ) == [
        ("ann@example.org", "reply", None),
        ("ann@example.org", "survey", "stop by stop delivery"),
        ("bea@example.org", "quiz", "stopped growing"),
        ("bea@example.org", "reply", "stop"),
    ]
    assert make.four(shop.run("feedback")["feedback"]) == (0, 0, 0, 0)


def test_the_text_of_a_reply_is_kept_nowhere(shop: Any, make: Any) -> None:
    unknown = {**REPLY, "kind": "letter", "answer": f"{SECRET}: stop"}
    shop.write(
        "feedback/a.jsonl",
        make.lines(
            *({**ANSWER, "question": str(number)} for number in range(9)),
            *(REPLY, unknown, {**REPLY, "answer": {"body": SECRET}}),
            {**REPLY, "occurred_at": "?"},
            '{"kind": "reply", "answer": "so \\"much\\" ' + SECRET,
            '{"kind": "survey", "answer": "kept words", "x":',
        ),
    )
    line = f"email,ann@example.org,reply,,so much {SECRET}, 2026-01-01"
    shop.write("feedback/b.csv", HEADER + line + ", stop\n" + line[1:] + "\n")
    shop.write("feedback/c.csv", HEADER.replace("_value", "") + line + "\n")
    shop.write("feedback/d.json", '[{"kind": "reply", "answer": "' + SECRET + ' stop"}, {"a":')
    shop.run("feedback")
    kept = [text for (text,) in shop.query("select raw_text from raw_feedback.quarantine")]
    assert sum("kept words" in text for text in kept) == 1
    assert sum('"stop"' in text for text in kept) == 2  # the refusals among them stay
    for file in Path(shop.root / "home").rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file.name


@pytest.mark.parametrize(
    ("broken", "kept"),
    [
        ("email;a@example.org;survey;why;low price", "email,a@example.org,survey,why,low price"),
        ("email;a@example.org;reply;;low price", "email,a@example.org,reply,,"),
        ("email;a@example.org;letter;;STOP now", "email,a@example.org,,,stop"),
        ('[{"kind":"quiz","answer":"low"},', '[{"kind":"quiz","answer":"low"},'),
        (
            '[{"kind":"quiz","answer":"low"},{"kind":"reply","answer":"low"},',
            '[{"kind":"quiz","answer":""},{"kind":"reply","answer":""},',
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_apart_keeps_the_text_of_plain_answers_only(
    broken: str, kept: str
) -> None:
    with connect() as session:
        table = reduced_rejects(session, FEEDBACK, pa.table({"raw_text": [broken]}))
    assert table.to_pylist() == [{"raw_text": kept}]
