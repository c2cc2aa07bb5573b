"""What `regulars sql` prints: every value as it stands, however narrow the page."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from orchestration.commands import sql
from orchestration.home.layout import Home
from orchestration.published.reader import QueryResult


def test_a_value_wider_than_the_page_is_folded_and_not_cut(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = QueryResult(("run_id", "what"), [("x" * 100, "[/b] y"), (None, 2)], False)
    monkeypatch.setattr(sql, "query_published", lambda *_, **__: found)
    out = Console(file=StringIO(), width=40, markup=False)
    sql.print_query(Home(tmp_path), "select 1", out, as_json=False)
    text = out.file.getvalue()  # type: ignore[attr-defined]
    assert text.count("x") == 100
    assert "…" not in text
    assert "[/b] y" in text
