"""One list says what words about permission mean, in every spelling of them."""

from __future__ import annotations

import csv

import pytest

from orchestration.ops.permission import unspaced_names
from orchestration.ops.permission.meanings import (
    UNKNOWN_OPT_OUT,
    read_channel,
    read_purpose,
    read_status,
    shown_word,
)
from orchestration.ops.permission.spoken_names import (
    column_kind,
    event_reason,
    file_reason,
    named_channel,
)
from orchestration.ops.permission.status_words import SEED, Meaning, folded, status_words

LANGUAGES = {"en", "de", "fr", "es", "it", "nl", "pl", "pt", "sv", "da", "cs", "ja", "zh", "ko"} | {
    "ru",
    "th",
}


def _rows() -> list[dict[str, str]]:
    with SEED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_list_is_long_speaks_every_language_and_never_contradicts_itself() -> None:
    rows = _rows()
    assert len(rows) >= 150
    assert {row["language"] for row in rows} == LANGUAGES | {"any"}
    assert len({folded(row["word"]) for row in rows}) == len(rows)
    for language in LANGUAGES:
        said = {row["meaning"] for row in rows if row["language"] == language}
        assert {"granted", "unsubscribed", "hard_bounce", "spam_report", "manual"} <= said
        assert {"denied", "revoked", "requested", "never_asked"} <= said


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("OPTED_OUT", Meaning.UNSUBSCRIBED),
        (" opted  out ", Meaning.UNSUBSCRIBED),
        ("HardBounce", Meaning.HARD_BOUNCE),
        ("desabonne", Meaning.UNSUBSCRIBED),
        ("DÉSABONNÉ", Meaning.UNSUBSCRIBED),
        ("odhlasen", Meaning.UNSUBSCRIBED),
        ("配信停止", Meaning.UNSUBSCRIBED),
        ("ｕｎｓｕｂｓｃｒｉｂｅｄ", Meaning.UNSUBSCRIBED),
        ("", Meaning.NO_STATEMENT),
        ("0000-00-00 00:00:00", Meaning.NO_STATEMENT),
        ("0", Meaning.NO),
        *((zero, Meaning.NO) for zero in ("0.0", "0,00", "00", "-0", "0E+00")),
        *((sign, None) for sign in ("❌", "✗", "×", "👎", "-", "?")),
        *((word, None) for word in ("-1", "−1", "≠1", "!active", "[ ] yes", "☐ yes", "granted?")),
        *((word, None) for word in ("yes?", "(yes)", "1.5", "y̶e̶s̶", "no?")),
        ('"Yes"', Meaning.YES),
        ("Double Opt-In", Meaning.GRANTED),
        ("N/A", Meaning.NO_STATEMENT),
        ("[unsubscribed]", Meaning.UNSUBSCRIBED),
        ("flummoxed", None),
    ],
)
def test_words_are_compared_without_case_accents_and_punctuation(
    word: str, meaning: Meaning | None
) -> None:
    assert status_words().meaning(word) is meaning


@pytest.mark.parametrize(
    ("said_in", "word", "result"),
    [
        ("list:x", "subscribed", None),
        ("list:x", "pending", None),
        ("list:x", "flummoxed", UNKNOWN_OPT_OUT),
        ("list:x", "no", "unsubscribed"),
        ("log:x", "granted", "granted"),
        ("log:x", "Angemeldet", "granted"),
        ("log:x", "requested", "requested"),
        ("log:x", "Ausstehend", "requested"),
        ("log:x", "NOT_SUBSCRIBED", "denied"),
        ("log:x", "nicht angemeldet", "denied"),
        ("list:x", "NOT_SUBSCRIBED", None),
        ("signal:x", "{", "gpc"),
        ("log:x", "flummoxed", UNKNOWN_OPT_OUT),
        ("log:x", "no", "denied"),
        ("banner:x", "true", "granted"),
        ("banner:x", "0", "denied"),
        ("banner:x", "flummoxed", "denied"),
        ("banner:x", "", None),
        ("signal:x", "1", "gpc"),
        ("signal:x", "flummoxed", "gpc"),
        ("signal:x", "false", None),
        ("flag/manual:x", "2026-01-05", "manual"),
        ("flag/manual:x", "x", "manual"),
        ("flag/manual:x", "0", None),
        ("flag/manual:x", "0000-00-00", None),
        ("choice:x", "no", "unsubscribed"),
        ("choice:x", "yes", None),
        ("choice:x", "weekly", UNKNOWN_OPT_OUT),
        ("choice:x", "opted out", "unsubscribed"),
        ("choice:x", "0.0", "unsubscribed"),
        ("choice:x", "-1", UNKNOWN_OPT_OUT),
        ("choice:x", "1.0", None),
        ("choice:x", "2026-01-05T10:00:00Z", None),
        ("choice:x", "Jan 5, 2026 10:00 AM", None),
        ("flag/manual:x", "no?", "manual"),
        ("signal:x", "off?", "gpc"),
        ("log:x", "yes?", UNKNOWN_OPT_OUT),
    ],
)
def test_what_is_not_plainly_a_yes_is_a_no(said_in: str, word: str, result: str | None) -> None:
    assert read_status(said_in, word, status_words()).result == result


def test_an_unknown_channel_is_every_channel_and_an_unknown_purpose_every_purpose() -> None:
    assert (read_channel("E-Mail").result, read_channel("carrier pigeon").result) == ("email", "*")
    assert read_purpose("Personalization").result == "personalisation"
    assert (read_purpose("group:7").result, read_purpose("gifts").result) == ("group:7", "*")
    assert not read_purpose("gifts").is_known


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("UNSUB_TIME", "flag/unsubscribed"),
        ("unsubscribedAt", "flag/unsubscribed"),
        ("is_blacklisted", "flag/manual"),
        ("CLEAN_TIME", ""),
        ("Cleaned At", "flag/hard_bounce"),
        ("Email Marketing Consent", "list"),
        ("Accepts Email Marketing", "choice"),
        ("marital_status", ""),
        ("unsubscribe_url", ""),
        ("left", ""),
        ("state", ""),
        ("Subscription", "choice"),
        ("email_opt_in", "choice"),
        ("Newsletter Subscriber", "choice"),
        ("Einwilligung Newsletter", "choice"),
        ("can_email", "choice"),
        ("gdpr-consent", "choice"),
        ("Receive Emails", "choice"),
        ("iscritto", "choice"),
        ("optin_time", "choice"),
        ("subscription_plan", ""),
        ("OPTIN_IP", ""),
        ("Status", "list"),
        ("email_opt_out", "flag/unsubscribed"),
        ("customer_unsub_flag", "flag/unsubscribed"),
        ("Do Not Email Me", "flag/manual"),
        ("no_newsletter", "flag/unsubscribed"),
        ("sms subscription opt out", "flag/unsubscribed"),
        ("not_unsubscribed", "list"),
        ("Newsletter Abmeldung", "flag/unsubscribed"),
        ("dnd", "flag/manual"),
        ("do_not_disturb", "flag/manual"),
        ("is_suppressed_globally", "flag/manual"),
        ("shoe_size", ""),
        ("country", ""),
        ("active", ""),
        ("member_status", ""),
        ("email_status", "list"),
        ("SMS Marketing Status", "list"),
        ("cancelled_orders", ""),
        ("メルマガ", "choice"),
        ("広告メール", "choice"),
        ("配信停止日", "flag/unsubscribed"),
        ("SMS配信停止", "flag/unsubscribed"),
        ("DM不要", "flag/unsubscribed"),
        ("配信停止リンク", ""),
        ("メールアドレス", ""),
        ("退订日期", "flag/unsubscribed"),
        ("营销同意", "choice"),
        ("수신거부일", "flag/unsubscribed"),
        ("마케팅 수신동의", "choice"),
        ("ยกเลิกการรับข่าวสาร", "flag/unsubscribed"),
        ("дата отписки", "flag/unsubscribed"),
        ("рассылка", "choice"),
        ("إلغاء الاشتراك", "flag/unsubscribed"),
        ("GDPR erased", "flag/manual"),
        ("DSGVO gelöscht", "flag/manual"),
        ("erased_at", "flag/manual"),
        ("gdpr_consent", "choice"),
        ("deleted_at", ""),
    ],
)
def test_names_of_columns(column: str, kind: str) -> None:
    assert column_kind(column) == kind


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("contacts/unsubscribed_members_export_0a1.csv", "unsubscribed"),
        ("contacts/cleaned_members.csv.gz", "hard_bounce"),
        ("contacts/Opt-Outs 2026.csv", "unsubscribed"),
        ("contacts/Abgemeldete.csv", "unsubscribed"),
        ("contacts/subscribed_members.csv", ""),
        ("contacts/subscribed_and_unsubscribed.csv", ""),
        ("contacts/without_unsubscribed.csv", ""),
        ("contacts/lapsed_customers.csv", ""),
        ("contacts/do-not-contact.csv", "manual"),
        ("contacts/do_not_email.csv", "unsubscribed"),
        ("contacts/disiscritti.csv", "unsubscribed"),
        ("contacts/bajas.csv", "unsubscribed"),
        ("contacts/member_unsubs.csv", "unsubscribed"),
        ("contacts/no-longer-subscribed.csv", "unsubscribed"),
        ("contacts/newsletter.unsubscribed.csv", "unsubscribed"),
        ("contacts/unsubscribed/jan.csv", "unsubscribed"),
        ("contacts/subscribers/jan.csv", ""),
        ("contacts/not_unsubscribed.csv", ""),
        ("contacts/list.csv", ""),
    ],
)
def test_names_of_files(file: str, reason: str) -> None:
    assert file_reason(file) == reason


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("メール配信停止", "unsubscribed"),
        ("メルマガ解除", "unsubscribed"),
        ("已退订", "unsubscribed"),
        ("取消订阅", "unsubscribed"),
        ("수신거부 완료", "unsubscribed"),
        ("ยกเลิกการสมัคร", "unsubscribed"),
        ("Отписка от рассылки", "unsubscribed"),
        ("GDPR Erasure Requested", "manual"),
        ("配信停止ページ表示", ""),
        ("注文キャンセル", ""),
        ("取消订单", ""),
        ("Cart Erased", ""),
        ("Forgotten Password", ""),
    ],
)
def test_names_of_events(event: str, reason: str) -> None:
    assert event_reason(event) == reason


@pytest.mark.parametrize(
    ("name", "channel"),
    [("SMS配信停止", "sms"), ("短信退订", "sms"), ("推送", "push"), ("退订", "")],
)
def test_the_channel_of_a_name_without_blanks(name: str, channel: str) -> None:
    assert named_channel(name) == channel


def test_no_part_of_a_name_is_too_short_to_mean_anything() -> None:
    parts = (*unspaced_names.REFUSING, *unspaced_names.CHOOSING, *unspaced_names.OTHER_THINGS)
    assert [part for part in parts if len(folded(part)) < 2] == []


@pytest.mark.parametrize("word", ["jane@example.com", "+44 7700 900123"], ids=["email", "phone"])
def test_what_could_be_an_address_is_not_shown(word: str) -> None:
    assert shown_word(word) == "(masked)"
