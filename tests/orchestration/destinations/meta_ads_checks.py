"""What the destination `meta_ads` must do, each as a function that fails where it does not.

They run twice (`test_meta_ads`): on the destination as it is, and on one with a planted defect.
Each gets an empty account of the fake; the destination reaches it by its base address alone.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from orchestration.destinations.base import Identifiers, Payload, Row
from orchestration.destinations.meta_ads.destination import MetaAdsDestination
from orchestration.fakes.meta import ACCOUNT, LIMITED, Audience, Meta
from tests.orchestration.destinations import checking
from tests.orchestration.destinations.checking import DONE, Checks, ask, deliver, intent, opened_as
from tests.orchestration.fakes import served

Served = served.Served[Meta]
CHECKS = Checks[Served]()
check = CHECKS.add


def opened(shop: Served, **options: Any) -> MetaAdsDestination:
    """The destination as the settings would open it."""
    base = {"base_url": f"{shop.address}/v26.0", "ad_account": ACCOUNT, "create": True}
    return opened_as(MetaAdsDestination, "meta_ads", {**base, **options})


def row(number: int, operation: str = "added", previous: Payload | None = None, **said: Any) -> Row:
    """An intent for a person of a number."""
    usual = {
        "phone": f"+4477009{number:05d}",
        "segment": "vip",
        "is_sell_share_refused": False,
    }
    return intent(number, operation, previous, **{**usual, **said})


def settled(
    shop: Served, destination: MetaAdsDestination, *rows: Row, run: int = 1
) -> list[tuple[str, str]]:
    """Status and reason of each row once all sessions are done."""
    told = checking.settled(shop, destination, *rows, run=run)
    shop.later()
    return told


def sha(text: str) -> str:
    """The hash that Meta compares."""
    return hashlib.sha256(text.encode()).hexdigest()


def who(shop: Served) -> set[str]:
    """The customer ids of the audience."""
    return {each.get("EXTERN_ID", "") for each in shop.fake.of("regulars_vip")}


def audience(shop: Served) -> Audience:
    """The only audience."""
    [found] = shop.fake.audiences.values()
    return found


@check
def a_member_is_one_row_of_hashes(shop: Served) -> None:
    assert settled(shop, opened(shop), row(1, email="Ann.Berg+x@gmail.com")) == DONE
    assert shop.fake.of("regulars_vip") == [
        {
            "EMAIL": sha("ann.berg+x@gmail.com"),
            "PHONE": sha("447700900001"),
            "EXTERN_ID": "c1",
            LIMITED: "",
        }
    ]


@check
def what_is_not_known_is_left_blank(shop: Served) -> None:
    rows = (row(1, phone=None), row(2, email=""), row(3, phone="07700 900003"))
    assert settled(shop, opened(shop), *rows) == DONE * 3
    keys = [sorted(each.keys() - {LIMITED}) for each in shop.fake.of("regulars_vip")]
    assert sorted(keys) == [["EMAIL", "EXTERN_ID"]] * 2 + [["EXTERN_ID", "PHONE"]]
    assert shop.fake.state()["audiences"]["regulars_vip"]["invalid_entries"] == 0
    nothing = row(4, email=None, phone=" ")
    assert settled(shop, opened(shop), nothing, run=2) == [("rejected", "no_address")]


@check
def whose_data_may_not_be_sold_goes_with_limited_use(shop: Served) -> None:
    unknown = row(3)
    unknown = Row(unknown.key, "c3", 1, "added", {**unknown.payload, "is_sell_share_refused": None})
    rows = (row(1), row(2, is_sell_share_refused=True), unknown)
    assert settled(shop, opened(shop), *rows) == DONE * 3
    limited = {each["EXTERN_ID"] for each in shop.fake.of("regulars_vip") if each[LIMITED]}
    assert limited == {"c2", "c3"}
    assert settled(shop, opened(shop), row(2, "updated", rows[1].payload), run=2) == DONE
    assert shop.fake.state()["audiences"]["regulars_vip"]["limited"] == 1


@check
def exactly_the_right_people_are_there(shop: Served) -> None:
    destination = opened(shop)
    assert settled(shop, destination, *(row(n) for n in range(6))) == DONE * 6
    rows = (row(1, "removed", row(1).payload), row(2, "updated", row(2).payload), row(7))
    assert settled(shop, destination, *rows, run=2) == DONE * 3
    assert who(shop) == {"c0", "c2", "c3", "c4", "c5", "c7"}
    assert settled(shop, destination, row(1), row(7, "removed"), run=3) == DONE * 2
    assert who(shop) == {"c0", "c1", "c2", "c3", "c4", "c5"}


@check
def an_open_session_is_no_answer_yet(shop: Served) -> None:
    destination = opened(shop)
    outcomes = deliver(destination, row(1))
    assert outcomes["k1-added"].status == "accepted"
    assert ask(destination, outcomes, row(1)) == outcomes
    shop.later()
    assert ask(destination, outcomes, row(1))["k1-added"].status == "delivered"
    assert who(shop) == {"c1"}


@check
def fewer_received_than_sent_is_no_success(shop: Served) -> None:
    destination = opened(shop)
    outcomes = deliver(destination, row(1), row(2))
    audience(shop).sessions.popitem()[1].rows.pop()
    assert {each.status for each in ask(destination, outcomes, row(1), row(2)).values()} == {
        "accepted"  # Meta does not know the session any more
    }
    outcomes = deliver(destination, row(1), row(2))
    [session] = audience(shop).sessions.values()
    session.rows.pop()
    shop.later()
    told = ask(destination, outcomes, row(1), row(2)).values()
    assert {(each.status, each.reason) for each in told} == {("retry", "not_received")}


@check
def invalid_entries_hold_no_other_back(shop: Served) -> None:
    shop.fake.begin_anew(0)
    wrong = row(3, email="f" * 63 + "G" + "@example.com")
    destination = opened(shop)
    whole = MetaAdsDestination._hand_over

    def spoilt(self: Any, of: str, changes: Any, numbers: Any) -> Any:
        for each in changes:
            if each.row.key == wrong.key:
                object.__setattr__(each, "joins", ("no hash", "", "c3"))
        return whole(self, of, changes, numbers)

    MetaAdsDestination._hand_over = spoilt  # type: ignore[method-assign]
    try:
        told = settled(shop, destination, row(1), row(2), wrong, row(4), row(5))
    finally:
        MetaAdsDestination._hand_over = whole  # type: ignore[method-assign]
    assert told == [*DONE * 2, ("retry", "invalid_entry"), *DONE * 2]
    assert who(shop) == {"c1", "c2", "c4", "c5"}


@check
def a_removal_wins_over_an_add_that_is_done_later(shop: Served) -> None:
    """The outbox's part is played here: whatever is to be tried again is sent again."""
    for seed in range(8):
        shop.fake.begin_anew(seed)
        shop.fake.job_seconds = 6
        destination = opened(shop)
        deliver(destination, row(1), row(2))
        shop.later(1)
        removal = row(1, "removed")
        told = deliver(destination, removal, run=1 + seed % 2, number=2)
        for _ in range(100):
            shop.later(1)
            told = ask(destination, told, removal)
            if told[removal.key].status == "retry":
                told = deliver(destination, removal, run=1 + seed % 2, number=2)
            if told[removal.key].status == "delivered":
                break
        assert told[removal.key].status == "delivered"
        shop.later(1_000)
        assert who(shop) == {"c2"}, seed


@check
def with_a_new_address_the_old_one_goes(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1), row(2))
    moved = row(1, "updated", row(1).payload, email="new@example.com", phone=None)
    told = settled(shop, destination, moved, run=2)
    if told == [("retry", "overtaken")]:  # perhaps the removal was done after the addition
        told = settled(shop, destination, moved, run=2)
    assert told == DONE
    hashes = [each for each in shop.fake.of("regulars_vip") if each["EXTERN_ID"] == "c1"]
    assert hashes == [{"EMAIL": sha("new@example.com"), "EXTERN_ID": "c1", LIMITED: ""}]
    assert who(shop) == {"c1", "c2"}


@check
def a_removal_goes_by_all_that_was_sent(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1))
    sent = {**row(1).payload, "customer_id": "c9"}
    gone = Row("k9", "c9", 2, "removed", sent, {**sent, "email": None})
    assert settled(shop, destination, gone, run=2) == DONE
    assert who(shop) == set()
    settled(shop, destination, row(2), run=3)
    before = row(2).payload
    lost = row(2, "removed", before, email=None, phone=None)
    assert settled(shop, destination, lost, run=4) == DONE
    assert who(shop) == set()
    settled(shop, destination, row(3, email=None), run=5)
    assert settled(shop, destination, row(3, "removed"), run=6) == DONE
    assert who(shop) == set()


@check
def an_address_that_somebody_joins_with_stays(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1))
    rows = (row(1, "removed"), row(2, email="p1@example.com"))
    told = settled(shop, destination, *rows, run=2)
    assert told == [*DONE, ("retry", "overtaken")]
    assert settled(shop, destination, rows[1], run=2) == DONE
    assert {each["EMAIL"] for each in shop.fake.of("regulars_vip")} == {sha("p1@example.com")}
    assert who(shop) == {"c2"}


@check
def the_same_batch_again_is_another_try(shop: Served) -> None:
    destination = opened(shop)
    deliver(destination, row(1))
    deliver(opened(shop), row(1))
    numbers = sorted(audience(shop).sessions)
    assert len(numbers) == 2
    assert deliver(destination, row(2), run=2)["k2-added"].status == "accepted"
    assert max(audience(shop).sessions) > numbers[1]
    assert all(0 < number < 2**63 for number in audience(shop).sessions)
    assert shop.fake.refused == {}


@check
def a_flagged_audience_keeps_its_removals_for_later(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1), row(2))
    audience(shop).is_flagged = True
    told = settled(shop, destination, row(1, "removed"), row(3), run=2)
    assert told == [("rejected", "audience_flagged")] * 2
    assert who(shop) == {"c1", "c2"}
    assert "removals are tried again by each sync" in destination.preview("vip")
    audience(shop).is_flagged = False
    assert settled(shop, destination, row(1, "removed"), run=3) == DONE
    assert who(shop) == {"c2"}


@check
def a_flagged_audience_is_deleted_where_that_was_said(shop: Served) -> None:
    settled(shop, opened(shop), row(1), row(2))
    flagged = audience(shop)
    flagged.is_flagged = True
    destination = opened(shop, create=False, delete_flagged_audience=True)
    assert "deletes the whole audience" in destination.preview("vip")
    assert settled(shop, destination, row(3), run=2) == [("rejected", "audience_flagged")]
    assert audience(shop) is flagged
    told = settled(shop, destination, row(1, "removed"), row(3), run=3)
    assert told == [*DONE, ("rejected", "audience_flagged")]
    assert shop.fake.audiences == {}
    again = settled(shop, destination, row(2, "removed"), row(3), run=4)
    assert again == [*DONE, ("rejected", "audience_not_found")]
    assert shop.fake.audiences == {}


@check
def an_audience_that_is_not_found_is_no_removal(shop: Served) -> None:
    """Meta answers the same to a token that may not see it."""
    named = {"audiences": {"vip": "42"}, "create": False}
    blind = opened(shop, ad_account="", **named)
    gone = [("rejected", "audience_not_found")]
    assert settled(shop, blind, row(1, "removed"), row(2)) == gone * 2
    seeing = opened(shop, **named)
    assert settled(shop, seeing, row(1, "removed"), row(2)) == [*DONE, *gone]


@check
def an_audience_is_found_on_every_page(shop: Served) -> None:
    for number in range(130):
        shop.fake.put(f"other {number}")
    own = shop.fake.put("regulars_vip")
    assert settled(shop, opened(shop), row(1)) == DONE
    assert len(own.entries) == 1
    assert len(shop.fake.audiences) == 131


@check
def nobody_is_removed_whom_we_did_not_send(shop: Served) -> None:
    own = shop.fake.put("regulars_vip")
    own.entries = [{"EMAIL": sha("somebody@example.com"), LIMITED: ""}]
    destination = opened(shop)
    assert settled(shop, destination, row(1)) == DONE
    assert settled(shop, destination, row(1, "removed"), run=2) == DONE
    assert own.entries == [{"EMAIL": sha("somebody@example.com"), LIMITED: ""}]


@check
def an_erasure_takes_people_out_of_every_audience(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1), row(2))
    other = shop.fake.put("regulars_loyal")
    other.entries = [{"PHONE": sha("447700900001")}, {"EXTERN_ID": "old"}, {"EXTERN_ID": "c2"}]
    values = {"email": ("p1@example.com",), "phone": ("+447700900001",), "customer_id": ("old",)}
    people = [Identifiers("who", values), Identifiers("nobody", {"login": ("x",)})]

    def erased() -> list[tuple[str, str]]:
        return [(each.status, each.reason) for each in destination.erase(people)]

    assert erased() == [("accepted", "deletion_requested"), *DONE]
    assert erased() == [("accepted", "deletion_requested"), *DONE]
    shop.later()
    assert erased() == DONE * 2
    assert who(shop) == {"c2"}
    assert shop.fake.of("regulars_loyal") == [{"EXTERN_ID": "c2"}]
    shop.fake.put("regulars_new").is_flagged = True
    assert erased() == [("retry", "audience_flagged"), *DONE]


@check
def an_erasure_wins_over_an_add_that_is_done_later(shop: Served) -> None:
    for seed in range(8):
        shop.fake.begin_anew(seed)
        shop.fake.job_seconds = 6
        destination = opened(shop)
        deliver(destination, row(1), row(2))
        shop.later(1)
        person = Identifiers("who", {"email": ("p1@example.com",)})
        statuses = []
        while "delivered" not in statuses and len(statuses) < 60:
            statuses += [each.status for each in destination.erase([person])]
            shop.later(1)
        assert statuses[-1] == "delivered"
        assert who(shop) == {"c2"}, seed


@check
def what_is_told_and_sent_has_no_address(shop: Served) -> None:
    outcomes = list(deliver(opened(shop), row(1), row(2, email=None, phone=None)).values())
    assert "example" not in json.dumps([(each.reason, each.ticket) for each in outcomes])
    shop.later()
    assert "example" not in json.dumps(shop.fake.of("regulars_vip"))
