"""The destination `shopify` against its fake, and planted defects that its checks find."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion import config
from ingestion.errors import RegularsError, UsageError
from orchestration.activation.people import Target
from orchestration.activation.plan import build_plan
from orchestration.destinations import finds_by, open_destination
from orchestration.destinations.base import Batch, Identifiers, Outcome, RetryLaterError, Row
from orchestration.destinations.http import AccessRefusedError
from orchestration.destinations.shopify import api as api_module
from orchestration.destinations.shopify import destination as module
from orchestration.destinations.shopify import graphql
from orchestration.destinations.shopify.api import Api
from orchestration.destinations.shopify.destination import ShopifyDestination
from orchestration.destinations.shopify.graphql import GraphqlClient
from orchestration.fakes.faults import Fault
from orchestration.fakes.shopify import create
from orchestration.fakes.shopify.app import Shopify
from orchestration.fakes.shopify.shop import Consent, Customer
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from tests.orchestration.activation.shop import NOW
from tests.orchestration.activation.shop import Shop as Published
from tests.orchestration.destinations.checking import (
    DONE,
    Checks,
    email_of,
    intent,
    opened_as,
    people,
    told,
    with_old_address,
)
from tests.orchestration.destinations.defects import Defect, Patch, must_find, replaced
from tests.orchestration.fakes.served import Served, emptied, server_of


class Shop(Served[Shopify]):
    """The fake, its clock, where it is, and what it holds."""

    def of(self, number: int) -> Customer:
        """The customer of a number of the tests."""
        found = self.fake.shop.by_email(email_of(number))
        assert found is not None
        return found

    def tagged(self, segment: str = "vip") -> set[str]:
        """The addresses of whoever has a segment's tag."""
        people = self.fake.shop.customers.values()
        return {each.email for each in people if f"regulars_{segment}" in each.tags}


server = server_of(create, Shop)


@pytest.fixture
def shop(server: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The same server with twenty customers, one of whom has a tag of the shop's own."""
    shop = emptied(server, monkeypatch)
    for number in range(20):
        shop.fake.shop.put(email_of(number))
    shop.of(1).tags = ["Wholesale"]
    return shop


def opened(shop: Shop, /, **options: Any) -> ShopifyDestination:
    return opened_as(ShopifyDestination, "shopify", {"base_url": shop.address, **options})


def row(number: int, operation: str = "added", was: str = "", **more: Any) -> Row:
    return with_old_address(intent(number, operation, **more), was)


CHECKS = Checks[Shop]()
check = CHECKS.add


@check
def exactly_the_right_people_have_each_tag(shop: Shop) -> None:
    destination = opened(shop)
    assert told(destination, row(1), row(2), row(3)) == DONE * 3
    assert told(destination, row(2), row(4), segment="loyal") == DONE * 2
    assert told(destination, row(2, "removed"), row(5), row(3, "updated")) == DONE * 3
    assert shop.tagged() == people(1, 3, 5)
    assert shop.tagged("loyal") == people(2, 4)


@check
def tags_of_others_stay(shop: Shop) -> None:
    destination = opened(shop)
    told(destination, row(1))
    assert shop.of(1).tags == ["Wholesale", "regulars_vip"]
    told(destination, row(1, "removed"))
    assert shop.of(1).tags == ["Wholesale"]
    assert shop.of(1).fields == {}


@check
def the_metafield_is_there_before_the_tag_and_after_it(shop: Shop) -> None:
    destination = opened(shop)
    for after, operation in ((1, "added"), (2, "removed")):
        shop.fake.faults.plan(Fault("503", where="/graphql", after=after + 1, times=1))
        if operation == "removed":
            told(destination, row(2))
            shop.fake.faults.clear()
            shop.fake.faults.plan(Fault("503", where="/graphql", after=after, times=1))
        with pytest.raises(RetryLaterError):
            told(destination, row(2, operation))
        assert ("regulars", "vip") in shop.of(2).fields
        assert shop.tagged() == set()
        assert told(destination, row(2, operation)) == DONE
    assert shop.of(2).fields == {}


@check
def a_message_finds_reason_and_context(shop: Shop) -> None:
    context = json.dumps({"last_ordered_on": "2026-05-01"})
    destination = opened(shop, columns=["first_name"])
    more = {"reason": "Ordered often.", "context": context, "first_name": "Ólafur"}
    assert told(destination, row(3, **more)) == DONE
    held = json.loads(shop.of(3).fields["regulars", "vip"][1])
    assert held == {
        "customer_id": "c3",
        "version": 1,
        "reason": "Ordered often.",
        "context": {"last_ordered_on": "2026-05-01"},
        "first_name": "Ólafur",
    }


@check
def whoever_refused_there_gets_nothing_and_stays_refused(shop: Shop) -> None:
    said = {1: ("UNSUBSCRIBED", "unsubscribed"), 2: ("INVALID", "hard_bounce"),
            3: ("PENDING", "unconfirmed")}  # fmt: skip
    for number, (state, _) in said.items():
        shop.of(number).email_consent = Consent(state, NOW)
    assert told(opened(shop), *(row(n) for n in said), row(4)) == [
        *(("rejected", reason) for _, reason in said.values()),
        *DONE,
    ]
    assert shop.tagged() == people(4)
    assert [shop.of(number).email_consent.state for number in said] == [s for s, _ in said.values()]


@check
def consent_is_read_again_before_each_batch(shop: Shop) -> None:
    destination = opened(shop)
    assert told(destination, row(1)) == DONE
    shop.of(2).email_consent = Consent("UNSUBSCRIBED", NOW)
    assert told(destination, row(2)) == [("rejected", "unsubscribed")]


@check
def nobody_is_made_and_nobody_subscribed(shop: Shop) -> None:
    assert told(opened(shop), row(50), row(1)) == [("rejected", "no_profile"), *DONE]
    assert told(opened(shop), row(50, "removed")) == DONE
    assert len(shop.fake.shop.customers) == 20
    states = {each.email_consent.state for each in shop.fake.shop.customers.values()}
    assert states == {"NOT_SUBSCRIBED"}


@check
def somebody_is_made_where_told_to(shop: Shop) -> None:
    assert told(opened(shop, create=True), row(50)) == DONE
    assert shop.tagged() == people(50)
    assert shop.of(50).email_consent.state == "NOT_SUBSCRIBED"


@check
def a_yes_that_changed_nothing_is_no_success(shop: Shop) -> None:
    destination = opened(shop)
    told(destination, row(1))
    shop.fake.shop.is_idle = True
    failed = [("retry", "not_applied")] * 2
    assert told(destination, row(1, "removed"), row(2)) == failed


@check
def user_errors_in_a_200_are_no_success(shop: Shop) -> None:
    shop.of(1).tags = [f"t{number}" for number in range(250)]
    destination = opened(shop)
    assert told(destination, row(1), row(2)) == [("rejected", "too_many_tags"), *DONE]
    big = row(3, reason="x" * 140_000)
    assert told(destination, big, row(4)) == [("rejected", "invalid"), *DONE]
    assert shop.tagged() == people(2, 4)


@check
def with_a_new_address_the_old_customer_loses_the_tag(shop: Shop) -> None:
    destination = opened(shop)
    told(destination, row(1))
    moved = row(1, "updated", was="p1@example.com", email="p7@example.com")
    assert told(destination, moved) == DONE
    assert shop.tagged() == people(7)


@check
def an_address_that_went_over_to_another_person_stays(shop: Shop) -> None:
    destination = opened(shop)
    told(destination, row(1))
    assert told(destination, row(1, "removed"), row(2, email="p1@example.com")) == DONE * 2
    assert shop.tagged() == people(1)
    assert told(destination, row(1, "removed")) == DONE
    assert shop.tagged() == people(1)


@check
def a_removal_finds_whoever_changed_their_address_there(shop: Shop) -> None:
    destination = opened(shop)
    number = str(shop.of(1).number)
    told(destination, row(1, shopify_customer_id=number), row(2), row(3))
    shop.of(1).email = "new1@example.com"
    shop.of(2).email = "new2@example.com"
    gone = row(1, "removed", shopify_customer_id=number), row(2, "removed")
    assert told(destination, *gone) == DONE * 2
    assert shop.tagged() == people(3)


@check
def a_customer_of_another_address_is_not_tagged(shop: Shop) -> None:
    destination = opened(shop)
    number = str(shop.of(1).number)
    told(destination, row(1, shopify_customer_id=number))
    shop.of(1).email = "other@example.com"
    again = row(1, "updated", shopify_customer_id=number)
    assert told(destination, again) == [("rejected", "other_address")]
    assert shop.tagged() == set()


@check
def ids_of_another_shop_mean_nobody(shop: Shop) -> None:
    stranger = f"outlet:{shop.of(2).number}"
    own = row(50, email="x@example.com", shopify_customer_id=stranger)
    assert told(opened(shop), own) == [("rejected", "no_profile")]
    assert told(opened(shop, shop="outlet"), own) == [("rejected", "other_address")]


@check
def members_are_told_from_every_page(shop: Shop) -> None:
    for number in range(20, 250):
        shop.fake.shop.put(f"p{number}@example.com")
    destination = opened(shop)
    for start in range(0, 250, 50):
        shop.clock.move(30)
        assert told(destination, *(row(n) for n in range(start, start + 50))) == DONE * 50
    shop.clock.move(30)
    assert set(destination.members_of("vip")) == {f"c{number}" for number in range(250)}


@check
def withdrawals_are_told_from_every_page(shop: Shop) -> None:
    shop.clock.move(3600)
    since = shop.clock().replace(tzinfo=None)
    shop.clock.move(60)
    for number in range(20, 250):
        consent = Consent("UNSUBSCRIBED", shop.clock())
        shop.fake.shop.put(f"p{number}@example.com", email_consent=consent)
    texts = Consent("UNSUBSCRIBED", shop.clock())
    shop.fake.shop.put("", "+12025550101", sms_consent=texts)
    found = list(opened(shop).withdrawals_since(since))
    assert {each.identifier_value for each in found} == people(*range(20, 250)) | {"+12025550101"}
    assert {(each.channel, each.reason) for each in found} == {
        ("email", "unsubscribed"),
        ("sms", "unsubscribed"),
    }
    assert {each.occurred_at for each in found} == {since + timedelta(seconds=60)}


@check
def an_erasure_takes_all_of_ours_and_nothing_else(shop: Shop) -> None:
    destination = opened(shop)
    told(destination, row(1))
    told(destination, row(1), row(2), segment="loyal")
    person = Identifiers("who", {"email": ("p1@example.com", "nobody@example.com")})
    assert [each.status for each in destination.erase([person])] == ["delivered"]
    assert (shop.of(1).tags, shop.of(1).fields) == (["Wholesale"], {})
    assert shop.tagged("loyal") == people(2)
    assert not shop.of(1).is_to_be_erased
    opened(shop, request_erasure=True).erase([person])
    assert shop.of(1).is_to_be_erased


@check
def a_throttle_says_when_to_come_back(shop: Shop) -> None:
    shop.fake.available = 0
    with pytest.raises(RetryLaterError) as caught:
        told(opened(shop), row(1))
    assert caught.value.reason == "throttled"
    shop.clock.move(caught.value.wait_seconds or 0)
    assert told(opened(shop), row(1)) != []


@check
def a_token_that_ended_is_renewed(shop: Shop) -> None:
    destination = opened(shop)
    told(destination, row(1))
    shop.clock.move(86_400)
    assert told(destination, row(2)) == DONE


@CHECKS.each()
def test_it_does_what_it_must(shop: Shop, check: Callable[[Shop], None]) -> None:
    check(shop)


def _reads_once(patch: pytest.MonkeyPatch) -> None:
    look_up, known = Api.look_up, {}

    def remembered(self: Any, who: Any, key: str) -> Any:
        if not known:
            known.update(look_up(self, {("email", each) for each in people(*range(9))}, key))
        return known

    patch.setattr(Api, "look_up", remembered)


def _writes_all_tags(patch: pytest.MonkeyPatch) -> None:
    untag = Api.untag

    def all_of_them(self: Any, gids: Any, tags: Any) -> Any:
        return untag(self, gids, [*tags, "wholesale"])

    patch.setattr(Api, "untag", all_of_them)


def _first_page_only(patch: pytest.MonkeyPatch) -> None:
    search = Api.search

    def part(self: Any, *said: Any, **more: Any) -> Iterator[Any]:
        return iter(
            [each for _, each in zip(range(100), search(self, *said, **more), strict=False)]
        )

    patch.setattr(Api, "search", part)


def _makes_customers(patch: pytest.MonkeyPatch) -> None:
    begin = ShopifyDestination.__init__

    def generous(self: Any, name: str, options: Any, api: Any) -> None:
        begin(self, name, options.model_copy(update={"create": True}), api)

    patch.setattr(ShopifyDestination, "__init__", generous)


def _erases_more(self: Any, customer: Any) -> Any:
    return self._api.request_erasure(customer.gid)


def _tag_first(self: Any, work: Any, customers: Any, tag: str, segment: str) -> Any:
    wrong = self._api.tag(list(work.sets), tag)
    return wrong | self._api.set_context(work.sets, segment)


def _skips_removals(patch: pytest.MonkeyPatch) -> None:
    deliver = ShopifyDestination.deliver

    def part(self: Any, batch: Batch) -> Any:
        kept = tuple(each for each in batch.rows if each.operation != "removed")
        left = [each for each in batch.rows if each not in kept]
        done = deliver(self, Batch("run1", batch.segment, 1, NOW, batch.columns, kept))
        return [*done, *(Outcome(each.key, "delivered") for each in left)]

    patch.setattr(ShopifyDestination, "deliver", part)


DEFECTS: dict[str, tuple[Patch, str]] = {
    "segments are mixed": (
        replaced(ShopifyDestination, "_tag", lambda *_: "regulars_vip"),
        "exactly_the_right_people_have_each_tag",
    ),
    "removals are skipped": (_skips_removals, "exactly_the_right_people_have_each_tag"),
    "tags of others go along": (_writes_all_tags, "tags_of_others_stay"),
    "the metafield stays": (
        replaced(Api, "delete_contexts", lambda *_: None),
        "tags_of_others_stay",
    ),
    "the tag comes first": (
        replaced(ShopifyDestination, "_give", _tag_first),
        "the_metafield_is_there_before_the_tag_and_after_it",
    ),
    "consent is not looked at": (
        replaced(module, "_REFUSALS", {}),
        "whoever_refused_there_gets_nothing_and_stays_refused",
    ),
    "consent is read once for all batches": (
        _reads_once,
        "consent_is_read_again_before_each_batch",
    ),
    "customers are made": (
        _makes_customers,
        "nobody_is_made_and_nobody_subscribed",
    ),
    "a 200 is believed": (
        replaced(Api, "_tags", lambda *_: {}),
        "a_yes_that_changed_nothing_is_no_success",
    ),
    "user errors are not looked at": (
        replaced(api_module, "_reason", lambda _: ""),
        "user_errors_in_a_200_are_no_success",
    ),
    "the old address stays": (
        replaced(module, "_former", lambda each: [module._address(each.payload)]
                 if each.operation == "removed" else []),
        "with_a_new_address_the_old_customer_loses_the_tag",
    ),
    "an address is one person's for ever": (
        replaced(ShopifyDestination, "_may_be_of", lambda *_: True),
        "an_address_that_went_over_to_another_person_stays",
    ),
    "whoever changed their address is not looked for": (
        replaced(ShopifyDestination, "_find_lost", lambda *_: None),
        "a_removal_finds_whoever_changed_their_address_there",
    ),
    "ids are not looked at": (
        replaced(ShopifyDestination, "_ids", lambda *_: set()),
        "a_customer_of_another_address_is_not_tagged",
    ),
    "ids of all shops are one": (
        replaced(ShopifyDestination, "_ids", lambda _, values: {
            ("id", each.rpartition(":")[2]) for each in values}),
        "ids_of_another_shop_mean_nobody",
    ),
    "page 2 of members is dropped": (_first_page_only, "members_are_told_from_every_page"),
    "page 2 of withdrawals is dropped": (_first_page_only, "withdrawals_are_told_from_every_page"),
    "an erasure asks for more than told": (
        replaced(ShopifyDestination, "_erase_customer", _erases_more),
        "an_erasure_takes_all_of_ours_and_nothing_else",
    ),
    "errors in a 200 are not looked at": (
        replaced(graphql, "_codes", lambda _: set()),
        "a_throttle_says_when_to_come_back",
    ),
    "a token is for ever": (
        replaced(GraphqlClient, "_renew", lambda self: setattr(self, "_token", "shpat_old")),
        "a_token_that_ended_is_renewed",
    ),
}  # fmt: skip


@CHECKS.each_defect(DEFECTS)
def test_a_planted_defect_is_found(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, defect: Defect[Shop]
) -> None:
    must_find(defect, shop, monkeypatch)


def test_a_version_that_has_ended_writes_nothing(shop: Shop) -> None:
    with pytest.raises(UsageError, match="no longer knows version 2025-07"):
        told(opened(shop, api_version="2025-07"), row(1))
    assert shop.tagged() == set()


def test_a_missing_scope_names_the_credentials(shop: Shop) -> None:
    shop.fake.scopes = ("read_customers",)
    with pytest.raises(AccessRefusedError, match="SHOPIFY_CLIENT_ID") as caught:
        told(opened(shop), row(1))
    assert "p1@" not in str(caught.value)
    assert shop.tagged() == set()


def test_a_wrong_secret_is_one_sentence(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPIFY_CLIENT_SECRET", "guessed")
    with pytest.raises(AccessRefusedError, match="SHOPIFY_CLIENT_SECRET") as caught:
        told(opened(shop), row(1))
    assert "guessed" not in str(caught.value)


def test_a_tag_that_is_too_long_is_a_reason(shop: Shop) -> None:
    assert told(opened(shop), row(1), segment="s" * 32) == [("rejected", "tag_too_long")]


def test_a_batch_keeps_within_what_one_query_may_cost(shop: Shop) -> None:
    for number in range(20, 250):
        shop.fake.shop.put(f"p{number}@example.com")
    rows = [row(number) for number in range(250)]
    destination = opened(shop, batch_size=250)
    for _ in range(9):  # the bucket holds points for a part of it; what is done stays done
        try:
            assert told(destination, *rows) == DONE * 250
            break
        except RetryLaterError as error:
            assert error.reason == "throttled"
            shop.clock.move(20)
    assert len(shop.tagged()) == 250
    assert shop.fake.refused["max_cost"] == 0


def test_the_rate_follows_the_shops_plan() -> None:
    options = {"base_url": "https://x.myshopify.com", "points_per_second": 1000}
    settings = config.Destination(kind="shopify", options=options)
    fast = open_destination("shopify", settings, Home(Path("nowhere")))
    [rate] = fast.limits.rates
    assert (rate.requests, rate.seconds) == (1, 1.0)


def test_rows_carry_the_ids_that_we_know(tmp_path: Path) -> None:
    assert finds_by("shopify") == ("shopify_customer_id",)
    assert finds_by("klaviyo") == finds_by("pigeon") == ()
    home = Home(tmp_path / "home").create()
    with open_store(home) as store:
        shop = Published(home, store)
        ids = ("shopify_customer_id:22", "shopify_customer_id:outlet:3")
        shop.add("c1", "p1@example.com", *ids)
        shop.add("c2", "p2@example.com")
        for number in (1, 2):
            shop.grant(f"p{number}@example.com")
        shop.publish()
        target = Target("vip", "receiver", "email", "marketing", ids=finds_by("shopify"))
        plan = build_plan(store, home, target, at=NOW)
    found = {each.customer_id: each.payload["shopify_customer_id"] for each in plan.changes}
    assert found == {"c1": "22 outlet:3", "c2": None}


def test_its_address_is_asked_for() -> None:
    with pytest.raises(RegularsError, match="base_url"):
        open_destination("shopify", config.Destination(kind="shopify"), Home(Path("nowhere")))
