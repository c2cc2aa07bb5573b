"""The webhook destination: signed, the same bytes for the same rows, each answer at its word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response

from ingestion import config
from ingestion.errors import RegularsError, UsageError
from orchestration.destinations import check_destinations
from orchestration.destinations.base import Batch, Rate, RetryLaterError, Row
from orchestration.destinations.http import AnswerError
from orchestration.destinations.webhook import WebhookDestination, body_of, create
from orchestration.home.kind import claim
from orchestration.home.layout import Home
from orchestration.serve.webhooks.call import Call, RefusedError
from orchestration.serve.webhooks.senders.standard import verify
from tests.orchestration.destinations.doubles import WEBHOOK_SECRET, Receiver, receiving

NOW = datetime(2026, 6, 1, 12)


def _row(number: int, operation: str = "added", version: int = 1) -> Row:
    payload = {"customer_id": f"c{number}", "email": f"c{number}@example.com"}
    return Row(f"k{number}", f"c{number}", version, operation, payload)  # type: ignore[arg-type]


def _batch(*rows: Row, number: int = 1) -> Batch:
    return Batch("run00001", "vip", number, NOW, ("customer_id", "email"), rows)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[str, Receiver]]:
    receiver = Receiver()
    with receiving(receiver) as url:
        yield url, receiver


@pytest.fixture
def receiver(running: tuple[str, Receiver], monkeypatch: pytest.MonkeyPatch) -> Receiver:
    monkeypatch.setenv("HOOK_SECRET", WEBHOOK_SECRET)
    running[1].__init__()  # type: ignore[misc]
    return running[1]


@pytest.fixture
def hook(running: tuple[str, Receiver], receiver: Receiver, tmp_path: Path) -> WebhookDestination:
    return _hook(running[0], tmp_path)


def _hook(url: str, folder: Path, **more: Any) -> WebhookDestination:
    options = {"url": url, "secret_env": "HOOK_SECRET", "allow_private": True} | more
    return create("crm", options, Home(folder))


def test_the_body_is_what_the_page_shows(hook: WebhookDestination, receiver: Receiver) -> None:
    """docs/channels/webhook.md shows this very body."""
    hook.deliver(_batch(_row(1), _row(2, "removed", 4)))
    page = (config.REPOSITORY / "docs" / "channels" / "webhook.md").read_text("utf-8")
    shown = page.partition("```json\n")[2].partition("```")[0]
    assert json.loads(receiver.bodies[0]) == json.loads(shown)


def test_a_repeat_is_the_same_bytes_under_the_same_id(
    running: tuple[str, Receiver], hook: WebhookDestination, receiver: Receiver, tmp_path: Path
) -> None:
    hook.deliver(_batch(_row(1), _row(2)))
    _hook(running[0], tmp_path).deliver(_batch(_row(1), _row(2)))
    assert receiver.bodies[0] == receiver.bodies[1] == body_of(_batch(_row(1), _row(2)))
    assert receiver.ids[0] == receiver.ids[1]
    hook.deliver(_batch(_row(1)))
    hook.deliver(_batch(_row(1), _row(2, version=2)))
    assert len(set(receiver.ids)) == 3


def test_what_is_signed_here_is_accepted_where_we_receive(hook: WebhookDestination) -> None:
    """Signed by the vendors' library, verified by the reading of the specification in `serve`."""
    body, moment = body_of(_batch(_row(1))), datetime(2026, 7, 5, 23, 59, 59, 700_000, UTC)
    hook._now = lambda: moment
    headers = hook._signed(body)
    received = moment.replace(tzinfo=None)
    call = Call("", "", Headers(headers), body, received)
    verify(call, WEBHOOK_SECRET)
    other = Call("", "", Headers(headers), body + b" ", received)
    with pytest.raises(RefusedError):
        verify(other, WEBHOOK_SECRET)


def test_while_a_secret_is_changed_both_are_good(
    hook: WebhookDestination, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", f"{'bmV3' * 10} {WEBHOOK_SECRET}")
    assert [o.status for o in hook.deliver(_batch(_row(1)))] == ["delivered"]
    monkeypatch.setenv("HOOK_SECRET", f"{WEBHOOK_SECRET} short")
    with pytest.raises(UsageError, match="no base64"):
        hook.deliver(_batch(_row(1)))


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@pytest.mark.parametrize("body", ["", "ok", '{"ok": true}', "[1]", '{"rows": 2}'])
def test_any_2xx_is_a_yes(
    hook: WebhookDestination, receiver: Receiver, status: int, body: str
) -> None:
    kind = "application/json" if body[:1] in ("{", "[") else "text/plain"
    receiver.answer = Response(body if status != 204 else "", status, media_type=kind)
    assert [o.status for o in hook.deliver(_batch(_row(1), _row(2)))] == ["delivered"] * 2


def test_an_answer_may_say_what_became_of_each_row(
    hook: WebhookDestination, receiver: Receiver
) -> None:
    receiver.answer = JSONResponse(
        {
            "rows": [
                {"key": "k1", "status": "rejected", "reason": "no_address"},
                {"key": "k2", "status": "retry"},
                {"key": "k3", "status": "delivered"},
                {"key": "k4", "status": "rejected", "reason": "c4@example.com is bad"},
                {"key": "k5", "status": "rejected", "reason": "447700900123"},
                {"key": "k6", "status": ["perhaps"]},
                {"key": "somebody else's", "status": "rejected"},
                {"key": 7, "status": "rejected"},
                "k7",
            ]
        }
    )
    outcomes = hook.deliver(_batch(*(_row(number) for number in range(1, 8))))
    assert [(o.key, o.status, o.reason) for o in outcomes] == [
        ("k1", "rejected", "no_address"),
        ("k2", "retry", ""),
        ("k3", "delivered", ""),
        ("k4", "rejected", ""),
        ("k5", "rejected", ""),
        ("k6", "retry", "unreadable_answer"),
        ("k7", "delivered", ""),
    ]


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_another_4xx_rejects_the_rows(
    hook: WebhookDestination, receiver: Receiver, status: int
) -> None:
    receiver.answer = PlainTextResponse("<h1>no</h1>", status)
    outcomes = hook.deliver(_batch(_row(1), _row(2)))
    assert {(o.status, o.reason) for o in outcomes} == {("rejected", f"http_{status}")}


def test_a_4xx_that_names_rows_rejects_those_alone(
    hook: WebhookDestination, receiver: Receiver
) -> None:
    """Nothing of a batch is taken with a 4xx; those that were not to blame go again."""
    receiver.answer = JSONResponse({"rows": [{"key": "k2", "status": "rejected"}]}, 422)
    outcomes = hook.deliver(_batch(_row(1), _row(2)))
    assert [(o.status, o.reason) for o in outcomes] == [("retry", "http_422"), ("rejected", "")]


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (401, "does not accept the signature"),
        (403, "does not accept the signature"),
        (404, "takes no POST at this address"),
        (405, "takes no POST at this address"),
        (410, "is gone for good"),
    ],
)
def test_a_receiver_that_is_not_there_keeps_the_rows(
    hook: WebhookDestination, receiver: Receiver, status: int, what: str
) -> None:
    receiver.answer = PlainTextResponse("c1@example.com", status)
    with pytest.raises(AnswerError, match=what) as caught:
        hook.deliver(_batch(_row(1)))
    assert "stay queued" in caught.value.hint
    assert "token=" not in str(caught.value)
    assert "example.com" not in str(caught.value)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503, 504])
def test_busy_and_broken_are_later(
    hook: WebhookDestination, receiver: Receiver, status: int
) -> None:
    receiver.answer = PlainTextResponse("", status, {"Retry-After": "3"})
    with pytest.raises(RetryLaterError) as caught:
        hook.deliver(_batch(_row(1)))
    assert (caught.value.reason, caught.value.wait_seconds) == (f"http_{status}", 3.0)


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        ("<html>", "text/html", "html_answer"),
        (" <html>", "application/json", "html_answer"),
        ('{"rows": [', "application/json", "no_json_answer"),
    ],
)
def test_a_yes_that_cannot_be_read_is_later(
    hook: WebhookDestination, receiver: Receiver, body: str, kind: str, reason: str
) -> None:
    receiver.answer = Response(body, media_type=kind)
    with pytest.raises(RetryLaterError) as caught:
        hook.deliver(_batch(_row(1)))
    assert caught.value.reason == reason


def test_a_batch_of_the_allowed_size_stays_below_its_bytes(
    hook: WebhookDestination, tmp_path: Path
) -> None:
    small = _hook("http://127.0.0.1:9", tmp_path, max_bytes=6_000)
    rows: list[Row] = []
    room = small.limits.batch_bytes or 0
    while sum(map(small.size, rows)) + small.size(_row(len(rows))) <= room:
        rows.append(_row(len(rows)))
    assert len(rows) > 20
    assert len(body_of(_batch(*rows))) <= 6_000
    assert hook.limits.rows == 500
    assert hook.limits.rates == ()
    slow = _hook("http://127.0.0.1:9", tmp_path, calls_per_second=5)
    assert slow.limits.rates == (Rate(5, 1.0),)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"secret_env": "S"}, "one of them"),
        ({"url": "https://x.example.org", "url_env": "U", "secret_env": "S"}, "one of them"),
        ({"url": "https://x.example.org"}, "secret_env"),
        ({"url": "http://x.example.org", "secret_env": "S"}, "does not begin with https://"),
        ({"url": "https://10.0.0.1", "secret_env": "S"}, "leads into the network"),
        ({"url": "https://u:p@x.example.org", "secret_env": "S"}, "no https:// address"),
        ({"url": "https://x.example.org", "secret_env": "S", "batch_size": 0}, "batch_size"),
        ({"url": "https://x.example.org", "secret_env": "S", "max_bytes": 1}, "max_bytes"),
    ],
)
def test_a_wrong_option_is_told_at_opening(
    options: dict[str, Any], what: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        create("crm", options, Home(tmp_path))
    assert "crm" in caught.value.message
    assert "options. " not in caught.value.message


@pytest.mark.parametrize(
    ("secret", "what"),
    [
        (None, "is not set"),
        ("not_base64!", "no base64"),
        ("c2hvcnQ=", "no base64"),
        ("whsec_", "no"),
    ],
)
def test_a_secret_that_cannot_sign_is_told_and_nothing_is_sent(
    hook: WebhookDestination,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    secret: str | None,
    what: str,
) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    if secret:
        monkeypatch.setenv("HOOK_SECRET", secret)
    with pytest.raises(UsageError, match=what) as caught:
        hook.deliver(_batch(_row(1)))
    assert "HOOK_SECRET" in caught.value.message
    assert secret is None or secret not in str(caught.value)
    assert receiver.bodies == []


def test_an_address_that_is_a_secret_comes_from_the_environment(
    running: tuple[str, Receiver],
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    hook = _hook("", tmp_path, url_env="HOOK_URL")
    assert hook.preview("vip") == "signed POSTs of `vip` to the address in HOOK_URL"
    with pytest.raises(UsageError, match="HOOK_URL"):
        hook.deliver(_batch(_row(1)))
    monkeypatch.setenv("HOOK_URL", running[0])
    assert [o.status for o in hook.deliver(_batch(_row(1)))] == ["delivered"]


def test_the_preview_shows_the_server_and_no_token(hook: WebhookDestination) -> None:
    assert hook.preview("vip") == "signed POSTs of `vip` to 127.0.0.1"


def test_the_pretend_shop_posts_to_this_machine_only(tmp_path: Path) -> None:
    home = Home(tmp_path / "demo").create()
    claim(home, "demo", {"as_of": "2026-06-01T12:00:00"})
    options = {"url": "http://127.0.0.1:9/", "secret_env": "S", "allow_private": True}
    here = config.Destination(kind="webhook", options=options)
    check_destinations(config.Settings(destinations={"crm": here}), home)
    away = config.Destination(
        kind="webhook", options={"url": "https://x.example.org", "secret_env": "S"}
    )
    with pytest.raises(UsageError, match="pretend shop"):
        check_destinations(config.Settings(destinations={"crm": away}), home)
    with pytest.raises(RegularsError, match="leads into the network"):
        create("crm", options | {"url": "https://127.0.0.1", "allow_private": False}, home)
