"""Documents are read as headers are: without case, blanks and punctuation in their keys."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.landing.json_keys import Pairs, declared_keys, readings, with_declared_keys
from ingestion.sources.consents import CONSENTS

DECLARED = declared_keys(CONSENTS)
VALUES = {key: f"value of {key}" for key in DECLARED.values()}


def _spelt(key: str, choice: st.DataObject) -> str:
    spelling = choice.draw(st.sampled_from([str, str.upper, str.title, str.capitalize]))
    return str(spelling(key).replace("_", choice.draw(st.sampled_from(["_", " ", "-", ".", ""]))))


@given(st.data())
def test_a_document_is_read_however_its_keys_are_spelt(choice: st.DataObject) -> None:
    document = {_spelt(key, choice): value for key, value in VALUES.items()}
    texts = pa.array([json.dumps(document), json.dumps(VALUES)], pa.large_string())
    assert [json.loads(text) for text in with_declared_keys(texts, DECLARED).to_pylist()] == [
        VALUES,
        VALUES,
    ]


@pytest.mark.parametrize(
    "text", ['{"status": "granted"}', '{"Other": 1.10}', '{"Status": ', '["Status"]', "{}"]
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    texts = pa.array([text], pa.large_string())
    assert with_declared_keys(texts, DECLARED).to_pylist() == [text]


def test_a_key_that_stands_twice_is_read_once_with_each_value() -> None:
    text = '{"status": "granted", "Status": "revoked", "STATUS": "revoked", "channel": "email"}'
    texts = pa.array([text], pa.large_string())
    assert with_declared_keys(texts, DECLARED).to_pylist() == [text]
    document = json.loads(text, object_pairs_hook=Pairs)
    assert list(readings(document, DECLARED)) == [
        {"status": "granted", "channel": "email"},
        {"status": "revoked", "channel": "email"},
    ]
