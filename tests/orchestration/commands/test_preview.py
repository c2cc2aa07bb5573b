"""`regulars preview`: what is shown, of whom, and what it says where there is nothing to show."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import UsageError
from orchestration.activation.sample import masked_name
from orchestration.commands import preview as command
from orchestration.commands.preview import SAMPLE, print_preview
from orchestration.fakes.server import served_fake, utc_now
from orchestration.fakes.twilio import ACCOUNT, SENDER, Twilio, create
from orchestration.home.layout import Home
from orchestration.home.sqlite_file import read_only_sqlite
from orchestration.ops import schema
from orchestration.ops.store import open_store
from orchestration.who.subject import Subject
from orchestration.words.plain_text import PlainConsole
from tests.orchestration.activation.shop import Shop

Preview = Callable[..., str]
FULL = "{{ first_name }}, look: {{ reason }}{% if context.link is defined %}{% endif %} {{ stop }}"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("REGULARS_CONFIG", str(tmp_path / "regulars.toml"))
    (tmp_path / "regulars.toml").write_text('[shop]\nname = "Fern"\n', "utf-8")
    (tmp_path / "messages").mkdir()
    (tmp_path / "messages" / "offer.sms.j2").write_text(FULL, "utf-8")
    home = Home(tmp_path / "home").create()
    with open_store(home) as store:
        yield Shop(home, store, channel="sms")


@pytest.fixture
def preview(shop: Shop) -> Preview:
    def print_it(kind: str = "offer", channel: str = "", who: str = SAMPLE, **more: Any) -> str:
        out = PlainConsole(file=io.StringIO(), width=180, markup=False, soft_wrap=True)
        print_preview(shop.home, kind, channel, who, out, **more)
        return out.file.getvalue()  # type: ignore[attr-defined, no-any-return]

    return print_it


def test_a_member_is_shown_by_the_first_letters_alone(shop: Shop, preview: Preview) -> None:
    shop.add("c1", "phone:+447946000001")
    shop.publish()
    assert preview() == (
        "messages/offer.sms.j2, as a member of vip gets it:\n"
        "  Fern: F**** **, look: because Reply STOP to opt out.\n"
        "  52 places in GSM-7: 1 part, each paid for\n"
        "  they do not have: context.link\n"
    )


def test_a_look_changes_nothing_in_the_operational_store(shop: Shop, preview: Preview) -> None:
    """RELIABILITY A12, as tests/end_to_end/test_demo.py has it of the other commands that look."""
    shop.add("c1", "phone:+447946000001")
    shop.publish()
    with read_only_sqlite(shop.home.ops) as connection:
        before = list(connection.iterdump())
    assert preview()
    with read_only_sqlite(shop.home.ops) as connection:
        assert list(connection.iterdump()) == before


def test_what_costs_more_is_said_by_the_real_text(shop: Shop, preview: Preview) -> None:
    shop.add("c1", "phone:+447946000001")
    shop.members["c1"] = "ж" * 60
    shop.publish()
    assert "105 places in UCS-2 because of ж: 2 parts, each paid for" in preview()


def test_an_empty_shop_is_shown_made_up_values(preview: Preview) -> None:
    assert "as somebody with made-up values gets it:\n  Fern: A**, look: Because." in preview()


def test_whom_it_is_shown_for_has_to_be_a_member(
    shop: Shop, preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "find_subject", lambda _, who: Subject(who, (who,), (), 1))
    shop.add("c1", "phone:+447946000001")
    shop.add("c2", "phone:+447946000002", member=False)
    shop.publish()
    with pytest.raises(UsageError, match="in no segment whose kind of message is offer"):
        preview(who="c2")
    assert "as they get it" in preview(who="c1")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kind": "pigeon"}, "no kind of message `pigeon`"),
        ({"channel": "email"}, "words no messages for the channel `email`"),
        ({"channel": "push"}, "no template for the kind offer"),
        ({"kind": "welcome"}, "no template for the kind welcome"),
    ],
)
def test_what_is_not_there_is_said(preview: Preview, asked: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        preview(**asked)


def _send_by(shop: Shop, twilio: Twilio, address: str, *recipients: str) -> None:
    folder = shop.home.root.parent
    (folder / "regulars.toml").write_text(
        f"""
[shop]
name = "Fern"
[messages]
test_recipients = {list(recipients)}
[destinations.texts]
kind = "sms"
[destinations.texts.options]
base_url = "{address}"
allow_private = true
account_sid = "{ACCOUNT}"
sender = "{SENDER}"
""",
        "utf-8",
    )


def test_only_test_recipients_get_a_message_that_is_tried_out(
    shop: Shop, preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.add("c1", "phone:+447946000001")
    shop.publish()
    twilio = create(0, utc_now)
    for name, value in twilio.credentials.items():
        monkeypatch.setenv(name, value)
    with served_fake(twilio) as address:
        _send_by(shop, twilio, address, "+447700900001", "+447700900002")
        with pytest.raises(UsageError, match="no test recipient; nothing was sent"):
            preview(send=True, to="+447946000001")
        assert not twilio.texts
        shown = preview(send=True)
        assert "offer.sms.j2 to +44***01: accepted" in shown
        preview(send=True, to="+447700900002")
    assert [each.to for each in twilio.texts.values()] == [
        *("+447700900001", "+447700900002", "+447700900002"),
    ]
    bodies = {each.body for each in twilio.texts.values()}
    assert bodies == {"Fern: F**** **, look: because Reply STOP to opt out."}
    notes = shop.home.test_messages.read_text("utf-8").splitlines()
    assert len(notes) == 3
    assert "447700900001" not in "".join(notes)
    with shop.store.read() as connection:
        assert not connection.execute(schema.deliveries.select()).all()
        assert not connection.execute(schema.outbox.select()).all()


def test_nobody_is_tried_out_on_where_the_settings_name_nobody(
    shop: Shop, preview: Preview
) -> None:
    with pytest.raises(UsageError, match="No test recipient"):
        preview(send=True)


def test_a_masked_name_is_as_long_as_the_name() -> None:
    assert [masked_name(name) for name in ("Ann-Marie", "Q", "")] == ["A**-*****", "Q", ""]
