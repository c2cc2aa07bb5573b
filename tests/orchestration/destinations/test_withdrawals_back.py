"""Refusals written back to the fakes of Klaviyo and Shopify by a whole sync, and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ingestion import config
from ingestion.vocabulary import Reason
from orchestration.activation import sync as sync_module
from orchestration.activation import withdrawals_written
from orchestration.activation.gate import PermissionState
from orchestration.destinations import open_destination
from orchestration.destinations.base import Outcome, TakesWithdrawals, Withdrawal
from orchestration.destinations.http import AccessRefusedError
from orchestration.destinations.klaviyo import destination as klaviyo
from orchestration.destinations.klaviyo.api import Api as KlaviyoApi
from orchestration.destinations.shopify import destination as shopify
from orchestration.destinations.shopify.api import Api as ShopifyApi
from orchestration.fakes.faults import Fault
from orchestration.fakes.server import served_fake
from orchestration.fakes.shopify import create
from orchestration.fakes.shopify.shop import Consent
from orchestration.home.layout import Home
from orchestration.ops import schema
from tests.orchestration.activation.shop import NOW, TARGET, Shop, open_shop, sync_at
from tests.orchestration.destinations.defects import Patch, must_notice, replaced
from tests.orchestration.fakes.klaviyo_calls import serving
from tests.orchestration.fakes.served import Hand, give_keys

pytestmark = pytest.mark.slow

EMAILS = [f"c{number}@example.com" for number in (1, 2, 3)]
PHONE = "+12025550101"
HOUR = timedelta(hours=1)


@dataclass
class Vendor:
    """One fake, uniformly: who refused there, who agrees there, what goes wrong."""

    kind: str
    address: str
    fake: Any
    refused: Callable[[], set[str]]
    agree: Callable[[str, datetime], None]
    idle: Callable[[bool], None]
    people: Callable[[], int]


@contextmanager
def _klaviyo() -> Iterator[Vendor]:
    with serving() as served:
        account = served.fake.account
        for email in EMAILS:
            account.upsert({"attributes": {"email": email}})
        account.upsert({"attributes": {"phone_number": PHONE}})

        def refused() -> set[str]:
            found = set()
            for each in account.profiles.values():
                if each.email.suppressions or each.email.consent == "UNSUBSCRIBED":
                    found.add(each.attributes["email"])
                if each.sms.consent == "UNSUBSCRIBED":
                    found.add(each.attributes["phone_number"])
            return found

        def agree(email: str, at: datetime) -> None:
            profile = account.find("email", email)
            assert profile is not None
            profile.email.consent, profile.email.at = "SUBSCRIBED", at.replace(tzinfo=UTC)

        def idle(on: bool) -> None:
            account.unsubscribe = (
                (lambda *_: None) if on else type(account).unsubscribe.__get__(account)
            )

        yield Vendor(
            "klaviyo", served.address, served.fake, refused, agree, idle,
            lambda: len(account.profiles),
        )  # fmt: skip


@contextmanager
def _shopify() -> Iterator[Vendor]:
    fake = create(0, Hand())
    for email in EMAILS:
        fake.shop.put(email)
    fake.shop.put("", PHONE)

    def refused() -> set[str]:
        people = fake.shop.customers.values()
        emails = {each.email for each in people if each.email_consent.state == "UNSUBSCRIBED"}
        return emails | {each.phone for each in people if each.sms_consent.state == "UNSUBSCRIBED"}

    def agree(email: str, at: datetime) -> None:
        customer = fake.shop.by_email(email)
        assert customer is not None
        customer.email_consent = Consent("SUBSCRIBED", at.replace(tzinfo=UTC))

    with served_fake(fake) as address:
        yield Vendor(
            "shopify", address, fake, refused, agree,
            lambda on: setattr(fake.shop, "is_idle", on), lambda: len(fake.shop.customers),
        )  # fmt: skip


@pytest.fixture(params=[_klaviyo, _shopify], ids=["klaviyo", "shopify"])
def vendor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    with request.param() as vendor:
        give_keys(vendor.fake, monkeypatch)
        yield vendor


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Three members who permitted it."""
    with open_shop(tmp_path) as shop:
        for email in EMAILS:
            shop.add_permitted(email[:2], email)
        shop.publish()
        yield shop


def opened(vendor: Vendor) -> Any:
    said = {"base_url": vendor.address, "allow_private": True}
    settings = config.Destination(kind=vendor.kind, options=said)
    destination = open_destination(TARGET.destination, settings, Home(Path("nowhere")))
    assert isinstance(destination, TakesWithdrawals)
    return destination


def run(shop: Shop, vendor: Vendor, hours: int = 0) -> None:
    sync_at(shop, TARGET, opened(vendor), NOW + hours * HOUR)


def noted(shop: Shop) -> list[tuple[str, str]]:
    table = schema.withdrawals_written.c
    with shop.store.read() as connection:
        query = select(table.state, table.answer).order_by(table.refused_at, table.refusal_id)
        return [(row[0], row[1]) for row in connection.execute(query)]


def test_a_refusal_reaches_the_vendor_within_one_run_and_is_read_back(
    shop: Shop, vendor: Vendor
) -> None:
    shop.suppress(EMAILS[0], "unsubscribed")
    shop.suppress(PHONE, "unsubscribed", kind="phone", channel="sms")
    shop.revoke(EMAILS[1], at=NOW - HOUR)
    run(shop, vendor)
    assert vendor.refused() == {EMAILS[0], EMAILS[1], PHONE}
    assert noted(shop) == [("done", "written")] * 3


def test_what_the_vendor_knows_is_not_written_to_it(
    shop: Shop, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.suppress(EMAILS[0], "unsubscribed")
    run(shop, vendor)

    def never(*_: Any) -> None:
        raise AssertionError("it was written again")

    for api in (KlaviyoApi, ShopifyApi):
        monkeypatch.setattr(api, "unsubscribe", lambda _, refused, *__: refused and never())
    with shop.store.write() as connection:
        connection.execute(schema.withdrawals_written.delete())
    run(shop, vendor, 1)
    assert ("done", "known") in noted(shop)


def test_what_the_vendor_said_itself_comes_and_does_not_go_back(shop: Shop, vendor: Vendor) -> None:
    if vendor.kind == "klaviyo":
        vendor.fake.account.suppress([EMAILS[0]], "SPAM_COMPLAINT")
    else:
        customer = vendor.fake.shop.by_email(EMAILS[0])
        customer.email_consent = Consent("UNSUBSCRIBED", NOW.replace(tzinfo=UTC))
    run(shop, vendor)
    assert noted(shop) == [("done", "known")]


def test_whoever_agreed_there_later_stays_subscribed(shop: Shop, vendor: Vendor) -> None:
    shop.suppress(EMAILS[0], "unsubscribed", at=NOW - HOUR)
    shop.suppress(EMAILS[1], "unsubscribed", at=NOW - HOUR)
    shop.suppress(EMAILS[2], "manual", at=NOW - HOUR)
    vendor.agree(EMAILS[0], NOW)
    vendor.agree(EMAILS[1], NOW - 2 * HOUR)
    vendor.agree(EMAILS[2], NOW)
    run(shop, vendor)
    assert vendor.refused() == {EMAILS[1], EMAILS[2]}
    assert sorted(noted(shop)) == [("done", "written")] * 2 + [("left", "newer_grant")]


def test_whoever_agreed_here_anew_is_not_written(shop: Shop, vendor: Vendor) -> None:
    shop.suppress(EMAILS[0], "unsubscribed", at=NOW - timedelta(days=20))
    run(shop, vendor)
    assert vendor.refused() == set()
    assert noted(shop) == []


def test_nobody_is_made_of_a_refusal(shop: Shop, vendor: Vendor) -> None:
    before = vendor.people()
    shop.suppress("stranger@example.com", "unsubscribed")
    run(shop, vendor)
    assert vendor.people() == before
    assert noted(shop) == [("done", "no_profile")]


@pytest.mark.parametrize("kind", ["lost_ack", "html", "503", "429"])
def test_a_lost_or_bad_answer_is_asked_about_again(shop: Shop, vendor: Vendor, kind: str) -> None:
    shop.suppress(EMAILS[0], "unsubscribed")
    where = "subscription-bulk" if vendor.kind == "klaviyo" else "/graphql"
    # Shopify is asked who refused, then who is meant, and then told
    after = 0 if vendor.kind == "klaviyo" else 2
    vendor.fake.faults.plan(Fault(kind, where=where, after=after, times=1))
    run(shop, vendor)
    # What Klaviyo answers to a job says nothing; what it then has is read back.
    read_back = vendor.kind == "klaviyo" and kind == "html"
    assert [state for state, _ in noted(shop)] == ["done" if read_back else "waiting"]
    run(shop, vendor, 1)
    assert vendor.refused() == {EMAILS[0]}
    assert [state for state, _ in noted(shop)] == ["done"]


def test_a_vendor_that_is_down_for_a_day_is_told_afterwards(shop: Shop, vendor: Vendor) -> None:
    shop.suppress(EMAILS[0], "unsubscribed")
    vendor.fake.faults.plan(Fault("503", wait=86_400))
    run(shop, vendor)
    run(shop, vendor, 12)
    assert [state for state, _ in noted(shop)] == ["waiting"]
    vendor.fake.faults.clear()
    with shop.store.write() as connection:  # the real clock has not moved
        connection.execute(schema.destination_pauses.delete())
    run(shop, vendor, 24)
    assert vendor.refused() == {EMAILS[0]}


def test_a_yes_that_does_nothing_is_no_success(shop: Shop, vendor: Vendor) -> None:
    shop.suppress(EMAILS[0], "unsubscribed")
    vendor.idle(True)
    run(shop, vendor)
    assert noted(shop)[0][0] in ("accepted", "waiting")
    vendor.idle(False)
    run(shop, vendor, 1)
    assert noted(shop)[0][0] == "done"
    assert vendor.refused() == {EMAILS[0]}


def test_a_key_that_lacks_the_right_stops_nothing_and_is_told(
    shop: Shop, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise AccessRefusedError("receiver", 403, "THE_KEY")

    shop.suppress("stranger@example.com", "unsubscribed")
    shop.suppress(EMAILS[0], "unsubscribed")
    for api in (KlaviyoApi, ShopifyApi):
        monkeypatch.setattr(api, "unsubscribe", refused)
    with pytest.raises(AccessRefusedError, match="refused the key") as caught:
        run(shop, vendor)
    assert "example.com" not in str(caught.value)
    assert [state for state, _ in noted(shop)] == ["waiting"] * 2
    if vendor.kind == "shopify":
        tagged = {each.email for each in vendor.fake.shop.customers.values() if each.tags}
        assert tagged == {EMAILS[1], EMAILS[2]}, "the others are sent all the same"


def test_the_moment_of_the_refusal_goes_along_to_shopify(monkeypatch: pytest.MonkeyPatch) -> None:
    with _shopify() as vendor:
        give_keys(vendor.fake, monkeypatch)
        no = Withdrawal("email", EMAILS[0], "email", "*", "unsubscribed", NOW - HOUR)
        [outcome] = opened(vendor).withdraw({"k": no})
        assert (outcome.status, outcome.reason) == ("delivered", "written")
        consent = vendor.fake.shop.by_email(EMAILS[0]).email_consent
        assert consent.at == (NOW - HOUR).replace(tzinfo=UTC)


def test_a_stop_by_hand_is_a_suppression_at_klaviyo(monkeypatch: pytest.MonkeyPatch) -> None:
    with _klaviyo() as vendor:
        give_keys(vendor.fake, monkeypatch)
        refusals = {
            reason: Withdrawal("email", email, "email", "*", reason, NOW)
            for reason, email in zip(("manual", "unsubscribed"), EMAILS, strict=False)
        }
        outcomes = opened(vendor).withdraw(refusals)
        assert {each.reason for each in outcomes} == {"written"}
        one, two, three = (vendor.fake.account.find("email", each) for each in EMAILS)
        assert set(one.email.suppressions) == {"USER_SUPPRESSED"}
        assert set(two.email.suppressions) == {"UNSUBSCRIBE"}
        assert three.email.suppressions == {}
        assert vendor.fake.calls["subscribe"] == 0


def _writes_all_the_same(module: Any, reason: str) -> Patch:
    """The defect that a reason not to write is not looked at."""
    standing = module._standing

    def blind(*said: Any) -> Any:
        outcome = standing(*said)
        return None if outcome and outcome.reason == reason else outcome

    return replaced(module, "_standing", blind)


def _believes_the_answer(patch: pytest.MonkeyPatch) -> None:
    stop = ShopifyApi.unsubscribe

    def believing(self: Any, refused: Any) -> dict[Any, str]:
        stop(self, refused)
        return {}

    patch.setattr(ShopifyApi, "unsubscribe", believing)


def _asks_no_gate(patch: pytest.MonkeyPatch) -> None:
    refused = PermissionState(Reason.UNSUBSCRIBED)
    patch.setattr(
        withdrawals_written, "load_states", lambda _, keys, *__: dict.fromkeys(keys, refused)
    )


def _lost_answer(shop: Shop, vendor: Vendor) -> None:
    test_a_lost_or_bad_answer_is_asked_about_again(shop, vendor, "503")


DEFECTS: dict[str, tuple[Any, Patch, Callable[[Shop, Vendor], None]]] = {
    "nobody is told": (
        _klaviyo,
        replaced(sync_module, "write_withdrawals", lambda *_: None),
        test_a_refusal_reaches_the_vendor_within_one_run_and_is_read_back,
    ),
    "the channel is not looked at": (
        _shopify,
        replaced(withdrawals_written, "_facts", lambda _, f=withdrawals_written._facts: f("sms")),
        test_a_refusal_reaches_the_vendor_within_one_run_and_is_read_back,
    ),
    "Klaviyo's newer yes is overwritten": (
        _klaviyo,
        _writes_all_the_same(klaviyo, "newer_grant"),
        test_whoever_agreed_there_later_stays_subscribed,
    ),
    "Shopify's newer yes is overwritten": (
        _shopify,
        _writes_all_the_same(shopify, "newer_grant"),
        test_whoever_agreed_there_later_stays_subscribed,
    ),
    "a newer yes here is not asked for": (
        _shopify,
        _asks_no_gate,
        test_whoever_agreed_here_anew_is_not_written,
    ),
    "profiles are not looked up": (
        _klaviyo,
        _writes_all_the_same(klaviyo, "no_profile"),
        test_nobody_is_made_of_a_refusal,
    ),
    "Klaviyo's yes is believed": (
        _klaviyo,
        replaced(klaviyo, "_written", lambda key, _: Outcome(key, "delivered", "written")),
        test_a_yes_that_does_nothing_is_no_success,
    ),
    "Shopify's yes is believed": (
        _shopify,
        _believes_the_answer,
        test_a_yes_that_does_nothing_is_no_success,
    ),
    "what waits counts as done": (
        _klaviyo,
        replaced(withdrawals_written, "WAITING", "done"),
        _lost_answer,
    ),
}


@pytest.mark.parametrize(
    ("vendor", "defect"),
    [pytest.param(DEFECTS[name][0], name, id=name.replace(" ", "_")) for name in DEFECTS],
    indirect=["vendor"],
)
def test_a_planted_defect_is_found(
    shop: Shop, vendor: Vendor, monkeypatch: pytest.MonkeyPatch, defect: str
) -> None:
    _, plant, check = DEFECTS[defect]
    plant(monkeypatch)
    must_notice(lambda each: check(each, vendor), shop)
