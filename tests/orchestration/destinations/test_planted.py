"""Planted defects in destinations: for each, the rule of the contract that notices (A1-A4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingestion import config
from ingestion.errors import RegularsError
from orchestration.destinations import open_destination, sql, webhook
from orchestration.destinations.base import Outcome, Row
from orchestration.destinations.http import Answer
from orchestration.destinations.sql import SqlDestination
from orchestration.destinations.webhook import WebhookDestination
from orchestration.home.layout import Home
from tests.orchestration.destinations import test_contract as rules
from tests.orchestration.destinations.doubles import kind_of

Plant = Callable[[pytest.MonkeyPatch], None]


def _set(place: Any, name: str, value: Any) -> Plant:
    return lambda patch: patch.setattr(place, name, value)


def _nothing(*_: Any, **__: Any) -> Any:
    return {}


def _first_row_only(deliver: Any) -> Any:
    return lambda self, batch: deliver(self, replace(batch, rows=batch.rows[:1]))


def _without_removals(deliver: Any) -> Any:
    def skipped(self: Any, batch: Any) -> Any:
        kept = tuple(row for row in batch.rows if row.operation != "removed")
        gone = [Outcome(row.key, "delivered") for row in batch.rows if row not in kept]
        return [*deliver(self, replace(batch, rows=kept)), *gone]

    return skipped


def _renumbered(row: Row) -> dict[str, Any]:
    number = next(_NUMBERS)
    return _row(replace(row, key=f"{row.key}-{number}", version=number))


def _asking(self: WebhookDestination, segment: str) -> str:
    return str(self._client.call("POST", content=b"", headers=self._signed(b"")).status)


_NUMBERS = count(100)
_row = webhook._row
DEFECTS: dict[str, tuple[str, Plant, Callable[..., None], dict[str, Any]]] = {
    "versions are not looked at": (
        *("sql", _set(SqlDestination, "_known", _nothing)),
        *(rules.test_a_late_repeat_overwrites_nothing_newer, {}),
    ),
    "nobody's row is deleted": (
        *("sql", _set(SqlDestination, "_end", _nothing)),
        *(rules.test_it_has_exactly_the_right_people, {}),
    ),
    "rows of all segments are one": (
        *("sql", _set(SqlDestination, "_pair", lambda *_: [])),
        *(rules.test_segments_do_not_mix, {}),
    ),
    "merged ids stay": (
        *("sql", _set(sql, "merged_ids", lambda _: set())),
        *(rules.test_merged_people_leave_as_one, {}),
    ),
    "members who are none are not looked for": (
        *("sql", _set(SqlDestination, "finish", _nothing)),
        *(rules.test_merged_people_leave_as_one, {}),
    ),
    "an erasure deletes nothing": (
        *("sql", _set(SqlDestination, "_delete", _nothing)),
        *(rules.test_the_erased_are_gone, {}),
    ),
    "only the first row is written": (
        *("sql", _set(SqlDestination, "deliver", _first_row_only(SqlDestination.deliver))),
        *(rules.test_every_row_gets_an_outcome, {}),
    ),
    "the preview connects": (
        *("webhook", _set(WebhookDestination, "preview", _asking)),
        *(rules.test_opening_and_previewing_touch_nothing, {}),
    ),
    "removals are skipped": (
        "webhook",
        _set(WebhookDestination, "deliver", _without_removals(WebhookDestination.deliver)),
        *(rules.test_it_has_exactly_the_right_people, {}),
    ),
    "a repeat is a new row": (
        *("webhook", _set(webhook, "_row", _renumbered)),
        *(rules.test_a_late_repeat_overwrites_nothing_newer, {}),
    ),
    "merged ids are not told": (
        *("webhook", _set(webhook, "merged_ids", lambda _: set())),
        *(rules.test_merged_people_leave_as_one, {}),
    ),
    "a page of HTML is a yes": (
        *("webhook", _set(Answer, "is_page", False)),
        *(rules.test_a_bad_answer_is_not_believed, {"fault": "page"}),
    ),
    "a cut answer is a yes": (
        *("webhook", _set(Answer, "json", lambda _: {})),
        *(rules.test_a_bad_answer_is_not_believed, {"fault": "huge"}),
    ),
    "502 is a yes": (
        *("webhook", _set(httpx.codes, "is_success", lambda _: True)),
        *(rules.test_a_bad_answer_is_not_believed, {"fault": "lost"}),
    ),
    "gone is a yes": (
        "webhook",
        _set(WebhookDestination, "_not_taken", lambda _, rows, __: webhook.delivered(rows)),
        *(rules.test_a_no_is_never_a_yes, {"fault": "gone"}),
    ),
    "a wait is not passed on": (
        *("webhook", _set(Answer, "wait_seconds", None)),
        *(rules.test_busy_is_later, {}),
    ),
    "texts are cut": (
        *("webhook", _set(webhook, "_row", lambda row: _row(_cut(row)))),
        *(rules.test_hostile_names_are_text, {}),
    ),
}


def _cut(row: Row) -> Row:
    short = {name: value[:12] if value else value for name, value in row.payload.items()}
    return replace(row, payload=short)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_turns_its_rule_red(
    defect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, plant, rule, more = DEFECTS[defect]
    _try(kind, rule, more, tmp_path / "sound", monkeypatch)
    plant(monkeypatch)
    with pytest.raises((AssertionError, RegularsError, pytest.fail.Exception)):
        _try(kind, rule, more, tmp_path / "defective", monkeypatch)


def _try(
    kind: str,
    rule: Callable[..., None],
    more: dict[str, Any],
    folder: Path,
    patch: pytest.MonkeyPatch,
) -> None:
    folder.mkdir()
    with kind_of(kind).open(folder) as double:
        for variable, value in double.environment.items():
            patch.setenv(variable, value)
        settings = config.Destination(kind=kind, options=double.options)
        given = {
            "make": lambda: open_destination(kind, settings, Home(folder / "home")),
            "double": double,
            "monkeypatch": patch,
            **more,
        }
        rule(**{name: given[name] for name in rule.__annotations__ if name != "return"})
