"""A forgotten address or number is found however people and programs write it, and no other is."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb
import pytest

from ingestion.forgetting.raw_rows import Key, candidates, gone_texts, take_out
from orchestration.erasure.texts import Texts
from orchestration.ops.tombstones import Erasable

GONE = {("email", "ann@example.com"), ("phone", "+353850910054")}
ADDRESSES = (
    *("ann@example.com", "ANN@Example.COM", "ann＠example.com", "ann@example。com"),
    *("“ann@example.com”", "«ann@example.com»", "‹ann@example.com›", "「ann@example.com」"),
    *("<ann@example.com>", "Ann <ann@example.com>", "(ann@example.com)", "[ann@example.com]"),
    *("mailto:ann@example.com", "ann@example.com…", "ann@example.com'", "ann%40example.com"),
    *("ann%2540example.com", r"ann\u0040example.com", "*ann@example.com*"),
    "ann@example.com\u00a0",
)
NUMBERS = (
    *("+353850910054", "+353 85 091 0054", "+353-85-091-0054", "00353 85 091 0054"),
    *("085 091 0054", "085-091 0054", "(085) 091 0054", "0850910054", "tel:+353850910054"),
    "+353\u00a085\u00a0091\u00a00054",
)
OTHERS = (
    *(
        "joann@example.com",
        "ann@example.com.au",
        "_ann@example.com",
        "-ann@example.com",
        "086 091 0054",
    ),
    *("+353 85 091 0055", "2026-11-29 12:00", "085 091 00541", "ann at example"),
)


def forgotten(keys: Collection[Key]) -> set[Key]:
    return set(keys) & GONE


def said(tmp_path: Path, texts: Collection[str]) -> dict[str, str]:
    """What is left of each text in rows of other people, by the text."""
    raw = tmp_path / "raw.duckdb"
    with duckdb.connect(str(raw)) as file:
        file.execute("create schema raw_feedback")
        file.execute("create table raw_feedback.feedback (_row_id varchar, note varchar)")
        rows = [(text, f"please call {text} soon") for text in texts]
        file.executemany("insert into raw_feedback.feedback values (?, ?)", rows)
    take_out(raw, forgotten, "IE")
    with duckdb.connect(str(raw), read_only=True) as file:
        return dict(file.execute("select _row_id, note from raw_feedback.feedback").fetchall())


def test_every_form_within_the_text_of_another_is_emptied(tmp_path: Path) -> None:
    left = said(tmp_path, (*ADDRESSES, *NUMBERS))
    assert len(left) == len(ADDRESSES) + len(NUMBERS), "the rows stay"
    for form, text in left.items():
        assert text.startswith("please call ") and text.endswith(" soon"), form
        assert not any(part in text.lower() for part in ("example", "0054")), form


def test_texts_with_other_addresses_and_figures_stay_as_they_are(tmp_path: Path) -> None:
    texts = (*OTHERS, "0.850910054")
    assert said(tmp_path, texts) == {text: f"please call {text} soon" for text in texts}


def test_a_line_break_that_json_spells_out_hides_no_address(tmp_path: Path) -> None:
    texts = (r"x\nann@example.com\ny", r"x \u201cann@example.com\u201d y")
    assert not any("ann@" in text for text in said(tmp_path, texts).values())


@pytest.mark.parametrize("form", [*ADDRESSES, *NUMBERS])
def test_a_value_of_its_own_is_read_without_what_is_around_it(form: str) -> None:
    kind = "email" if "ann" in form.lower() else "phone"
    assert candidates(kind, form, "IE") & GONE
    assert gone_texts([form], forgotten, "IE") == {form}


@pytest.mark.parametrize("form", OTHERS)
def test_another_value_is_nobody_elses(form: str) -> None:
    assert gone_texts([form, f"call {form} or ann@example.com"], forgotten, "IE") == set()


@pytest.mark.parametrize("form", [*ADDRESSES, *NUMBERS])
def test_files_and_published_texts_are_searched_for_every_form(form: str, tmp_path: Path) -> None:
    texts = Texts.of(Erasable((), tuple(sorted(GONE))))
    text = f"please call {form} soon"
    path = tmp_path / "note.txt"
    path.write_text(text)
    assert texts.are_in(text)
    assert texts.are_in_file(path)
    assert not any(part in texts.without(text).lower() for part in ("example", "0054"))
    with duckdb.connect() as memory:
        assert memory.execute("select regexp_matches(?, ?)", [text, texts.pattern]).fetchone() == (
            True,
        )


@pytest.mark.parametrize("other", OTHERS)
def test_files_and_published_texts_keep_others(other: str) -> None:
    texts = Texts.of(Erasable((), tuple(sorted(GONE))))
    with duckdb.connect() as memory:
        found = memory.execute("select regexp_matches(?, ?)", [other, texts.pattern]).fetchone()
    assert found == (False,)
    assert texts.without(other) == other
