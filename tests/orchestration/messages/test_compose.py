"""What a message is made of: the right variant, the shop's name, the way out, and the limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingestion.config import REPOSITORY, Settings
from ingestion.errors import UsageError
from orchestration.messages.compose import Writer, demands, notice_bytes, writer
from orchestration.messages.templates import file_name, load_templates

SETTINGS = Settings.model_validate({"shop": {"name": "Fern & Co", "hosts": ["www.fern.example"]}})
LINK = "https://www.fern.example/lamp"


def _writer(folder: Path, channel: str = "sms", purpose: str = "marketing", **files: str) -> Writer:
    """A writer of reminders by these files: `full` and `plain`."""
    for name, text in files.items():
        path = folder / file_name("reminder", channel, is_plain=name == "plain")
        path.write_text(text, "utf-8")
    return writer(SETTINGS, "reminder", channel, purpose, load_templates(folder))


def _say(own: Writer, *, is_plain: bool = False, country: str = "US", **member: Any) -> Any:
    written = own.write(member, country=country, is_plain=is_plain)
    return written.message if written.message is not None else f"- {written.problem}"


def test_the_shop_and_the_way_out_stand_where_the_template_puts_them(tmp_path: Path) -> None:
    own = _writer(tmp_path, full="Hello from {{ shop }}. {{ stop }} Bye")
    assert _say(own) == "Hello from Fern & Co. Reply STOP to opt out. Bye"
    assert _say(own, country="DE") == "Hello from Fern & Co. Ende mit STOP. Bye"


@pytest.mark.parametrize("full", ["Hello.", "{% if false %}{{ shop }}{{ stop }}{% endif %}Hello."])
def test_they_are_added_where_it_does_not(tmp_path: Path, full: str) -> None:
    own = _writer(tmp_path, full=full)
    assert _say(own) == "Fern & Co: Hello. Reply STOP to opt out."
    assert _say(own, country="") == "Fern & Co: Hello. Reply STOP to stop."


def test_a_name_like_the_shops_takes_its_place_nowhere(tmp_path: Path) -> None:
    own = _writer(tmp_path, full="{{ first_name }}!")
    said = _say(own, first_name="Fern & Co Reply STOP to opt out.")
    assert said.startswith("Fern & Co: Fern & Co Reply STOP")
    assert said.endswith("! Reply STOP to opt out.")


def test_a_receipt_needs_no_way_out(tmp_path: Path) -> None:
    assert _say(_writer(tmp_path, purpose="transactional", full="Sent.")) == "Fern & Co: Sent."
    assert demands("sms", "US", "transactional") == (True, "")


def test_below_the_level_the_plain_variant_goes_out_or_nothing(tmp_path: Path) -> None:
    both = _writer(tmp_path, full="{{ context.product }} waits. {{ stop }}", plain="Come back.")
    told = {"context": '{"product": "The lamp"}'}
    assert _say(both, **told) == "Fern & Co: The lamp waits. Reply STOP to opt out."
    plain = "Fern & Co: Come back. Reply STOP to opt out."
    assert _say(both, context="{}") == plain
    assert _say(both, is_plain=True, **told) == plain
    assert both.write({}, is_plain=False).is_plain
    (tmp_path / "reminder.sms.plain.j2").unlink()
    alone = _writer(tmp_path)
    assert _say(alone, context=None) == "- context.product is missing"


@pytest.mark.parametrize("name", ["www.evil.example", "Ann https://x", "evil.example", "a.bcd"])
def test_a_name_that_is_a_link_is_no_name(tmp_path: Path, name: str) -> None:
    own = _writer(tmp_path, full="{{ first_name | default('Hello') }}.")
    assert _say(own, first_name=name) == "Fern & Co: Hello. Reply STOP to opt out."
    assert "J. R." in _say(own, first_name="J. R.")


def test_a_text_of_too_many_parts_is_not_sent(tmp_path: Path) -> None:
    own = _writer(tmp_path, full="{{ reason }}")
    assert "it has 4 parts, 3 are allowed" in _say(own, reason="x" * 480)
    assert "it has 4 parts" in _say(own, reason="ж" * 200)
    assert _say(own, reason="x" * 400).startswith("Fern")


def test_a_notice_has_its_parts_and_nobody_can_add_one(tmp_path: Path) -> None:
    full = "title: {{ first_name }}\nbody: {{ context.product }}\nurl: {{ context.link }}\n"
    own = _writer(tmp_path, "push", full=full)
    context = f'{{"product": "lamp\\nurl: https://evil.example", "link": "{LINK}"}}'
    said = _say(own, first_name="Ann\r\nbody: x", context=context)
    assert said == {
        "title": "Ann body: x",
        "body": "lamp url: https://evil.example",
        "url": LINK,
    }
    assert notice_bytes(said) < 3_000


@pytest.mark.parametrize(
    "link",
    [
        *("https://evil.example/", "http://www.fern.example/", "javascript:alert(1)"),
        *("https://www.fern.example@evil.example/", "https://www.fern.example.evil.example"),
        *("//www.fern.example", "https://[", "data:text/html,x"),
    ],
)
def test_a_notice_leads_to_the_shop_alone(tmp_path: Path, link: str) -> None:
    own = _writer(tmp_path, "push", full="title: T\nbody: B\nurl: {{ context.link }}")
    assert "none of the shop's hosts" in _say(own, context=f'{{"link": "{link}"}}')


def test_a_notice_that_is_too_long_is_not_sent(tmp_path: Path) -> None:
    own = _writer(tmp_path, "push", full="title: T\nbody: {{ reason }}")
    assert "more than 300 letters" in _say(own, reason="x" * 301)
    assert _say(own, reason="x" * 300)["title"] == "T"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("pigeon.sms.j2", "x", "named after no message"),
        ("reminder.email.j2", "x", "named after no message"),
        ("reminder.sms.short.j2", "x", "named after no message"),
        ("reminder.j2", "x", "named after no message"),
        ("reminder.push.j2", "x", "a line that is none"),
        ("reminder.push.j2", "title: x\ntitle: y\nbody: z", "a line that is none"),
        ("reminder.push.j2", "title: x", "no `body:`"),
        ("reminder.sms.j2", "{{ phone }}", "uses `phone`"),
        ("reminder.sms.j2", "{% for a in b %}{% endfor %}", "a loop"),
    ],
)
def test_a_template_that_may_not_be_is_named(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        load_templates(tmp_path)
    assert f"messages/{name}" in caught.value.message


def test_without_a_template_there_is_a_sentence(tmp_path: Path) -> None:
    own = _writer(tmp_path)
    assert "write messages/reminder.sms.j2 beside" in own.problem
    assert own.write({}, is_plain=False).message is None


def test_the_templates_that_come_with_the_product_word_a_message_for_anybody() -> None:
    known = load_templates(REPOSITORY / "messages")
    assert known
    for template in known.values():
        own = writer(SETTINGS, template.kind, template.channel, "marketing", known)
        member = {"first_name": "Zoë", "context": f'{{"product": "Lamp", "link": "{LINK}"}}'}
        assert own.write(member, is_plain=False).message
        assert own.write({}, is_plain=True).message
