"""What `regulars quarantine list` shows of the rows held: all of it, as it stands."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ingestion.errors import UsageError
from ingestion.quarantine import QuarantineCount, QuarantinedRow, masked
from orchestration.commands import quarantine as command
from orchestration.home.layout import Home

RAW = '{"name":"[/b] [red]' + "x" * 300 + '"}'


@pytest.fixture(autouse=True)
def _many_rows_held(monkeypatch: pytest.MonkeyPatch) -> None:
    row = QuarantinedRow("web", "events", "web/[a].jsonl", 7, "bad_json", "", "r1", RAW)
    count = QuarantineCount("web", "events", "bad_json", "", 250, 1, "{xxx", "web/[a].jsonl:7")
    monkeypatch.setattr(command, "quarantine_counts", lambda *_: [count])
    monkeypatch.setattr(
        command, "quarantined_rows", lambda *_, limit, **__: [row] * min(limit, 250)
    )


def shown(home: Path, **options: bool) -> str:
    out = Console(file=StringIO(), width=120, markup=False)
    made = Home(home).create()
    made.raw.touch()
    command.print_quarantine(made, "", out, **{"raw": False, "as_json": False} | options)
    return out.file.getvalue()  # type: ignore[attr-defined]


def test_no_character_of_a_raw_text_is_left_out(tmp_path: Path) -> None:
    text = shown(tmp_path, raw=True)
    assert text.count("x") >= 300 * command.SHOWN
    assert "…" not in text
    assert "[red]" in text


def test_rows_are_shown_by_reason_with_one_example_and_no_value(tmp_path: Path) -> None:
    text = shown(tmp_path)
    assert text.count("bad_json") == 1
    for word in ("250", "{xxx", "web/[a].jsonl:7", "--raw"):
        assert word in text
    assert RAW[:8] not in text


def test_an_unknown_word_is_told_with_its_place_and_the_words_that_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = ("experiment_group", 1, 1, "xxxx", "experiments/a.csv:3")
    count = QuarantineCount("experiments", "assignments", "unknown_value", *place)
    monkeypatch.setattr(command, "quarantine_counts", lambda *_: [count])
    sentence = "experiments/a.csv:3: write treatment or holdout as experiment_group."
    assert sentence in shown(tmp_path)


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("2026-13-45", "9999-99-99"),
        ("Zoë@example.com", "xxx@xxxxxxx.xxx"),
        ("花子 ٣", "xx 9"),
        ("a\x1b[2J", "x·[9x"),
        ("", ""),
        ("y" * 99, "x" * 60 + "…"),
    ],
)
def test_a_masked_value_keeps_its_shape_alone(value: str, shape: str) -> None:
    assert masked(value) == shape


def test_a_program_gets_all_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"first {command.SHOWN} rows" in shown(tmp_path, raw=True)
    shown(tmp_path, as_json=True)
    assert len(json.loads(capsys.readouterr().out)) == 250


def test_a_mistyped_home_is_named_and_not_made(tmp_path: Path) -> None:
    nowhere = Home(tmp_path / "typo")
    with pytest.raises(UsageError, match="typo holds no shop's data"):
        command.print_quarantine(nowhere, "", Console(), raw=False, as_json=False)
    with pytest.raises(UsageError, match="typo holds no shop's data"):
        command.replay(nowhere, "", "")
    assert not nowhere.root.exists()


def test_a_replay_is_content_with_a_folder_that_holds_the_mapping_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "mended" / "orders"
    place.mkdir(parents=True)
    (place / "mapping.yml").write_text("columns: {}", "utf-8")
    found = []
    monkeypatch.setattr(
        command, "replay_rows", lambda context, _: found.append(context.folder) or []
    )
    home = Home(tmp_path / "home").create()
    home.raw.touch()
    command.replay(home, "orders", str(tmp_path / "mended"))
    assert found[0].text("orders/mapping.yml") == "columns: {}"
