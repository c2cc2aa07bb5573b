"""What `regulars sql` prints: every value as it stands, however narrow the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.commands import answer
from orchestration.published.reader import QueryResult


def test_a_value_wider_than_the_page_is_folded_and_not_cut(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = QueryResult(("run_id", "what"), [("x" * 100, "[/b] y"), (None, 2)], False)
    monkeypatch.setattr(answer, "query_published", lambda *_, **__: found)
    text = answer.answer("", str(tmp_path), "select 1", as_json=False, width=40, colour=None)
    assert text.count("x") == 100
    assert "…" not in text
    assert "[/b] y" in text
