"""The decision of a day: what goes out of all that wants a person, and why the others do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.vocabulary import (
    AFTER_AN_ORDER,
    CHANNELS,
    LEVELS,
    MESSAGE_KINDS,
    OF_A_CONTRACT,
    PURPOSES,
    Reason,
)
from orchestration.activation.decision import (
    ENDS_OF_STAYS,
    GLOBAL,
    WAITS,
    WEEK,
    Limits,
    Moment,
    Outcome,
    Past,
    Person,
    SegmentRules,
    Verdict,
    Wish,
    decide_day,
)
from orchestration.activation.gate import Decision as Permission

HOUR = 3_600_000_000
DAY = 24 * HOUR
NOW = 1_000 * DAY + 10 * HOUR
MOMENT = Moment(NOW, date(2026, 6, 1), 1_000 * DAY, 1_001 * DAY)
CART = SegmentRules("cart", ("email",), "marketing", "reminder", priority=10)
VIP = SegmentRules("vip", ("email", "sms"), "marketing", "offer", priority=20)
THANKS = SegmentRules("thanks", ("email",), "marketing", "thank_you", priority=30)
RECEIPT = SegmentRules("receipt", ("email",), "transactional", "transactional", priority=5)
BANNER = SegmentRules("banner", ("onsite",), "personalisation", "offer", priority=1)
ANN = Person("ann", level="full")
NO_PAST, LIMITS = Past(), Limits()


def yes(channel: str, purpose: str) -> Permission:
    return Permission(None, ("email" if channel == "email" else "phone", "x"), "receipt")


def only(*channels: str) -> object:
    def permit(channel: str, purpose: str) -> Permission:
        return yes(channel, purpose) if channel in channels else Permission(Reason.NO_CONSENT)

    return permit


def always(channel: str, at: int) -> int:
    return at


def decide(
    *rules: SegmentRules,
    person: Person = ANN,
    past: Past = NO_PAST,
    limits: Limits = LIMITS,
    permit: object = yes,
    opens: object = always,
    entered_at: int = NOW - HOUR,
    bought_at: int | None = None,
    ended_by: Reason | None = None,
) -> tuple[dict[str, Verdict], dict[str, tuple[str, str | None]]]:
    wishes = [Wish(each.name, entered_at, bought_at, ended_by) for each in rules]
    segments = {each.name: each for each in rules}
    rows, verdicts = decide_day(
        person,
        wishes,
        segments,
        past,
        limits,
        MOMENT,
        permit,
        opens,  # type: ignore[arg-type]
    )
    firsts = {row.contact_class: row.verdict for row in rows}
    said = {
        name: (str(each.outcome), str(each.reason) if each.reason else None)
        for name, each in verdicts.items()
    }
    return firsts, said


def test_the_segment_of_the_lowest_number_goes_out_and_the_others_keep_their_place() -> None:
    firsts, said = decide(THANKS, VIP, CART)
    assert firsts["marketing"].segment == "cart"
    assert said == {
        "cart": ("chosen", None),
        "vip": ("deferred", "other_segment"),
        "thanks": ("deferred", "other_segment"),
    }


def test_of_equal_priorities_the_name_decides() -> None:
    firsts, _ = decide(replace(VIP, priority=10), CART)
    assert firsts["marketing"].segment == "cart"


def test_a_receipt_takes_no_offers_place() -> None:
    firsts, _ = decide(RECEIPT, CART)
    assert {kind: each.segment for kind, each in firsts.items()} == {
        "marketing": "cart",
        "service": "receipt",
    }


def test_after_too_many_complaints_promotions_by_email_wait_and_nothing_else_does() -> None:
    limits = replace(LIMITS, promotions_from=NOW + DAY)
    _, said = decide(CART, THANKS, RECEIPT, BANNER, limits=limits)
    assert said["cart"] == ("deferred", "complaint_rate")
    assert {name for name, (outcome, _) in said.items() if outcome == "chosen"} == {
        "thanks",
        "receipt",
        "banner",
    }
    by_text = replace(VIP, channels=("sms",))
    assert decide(by_text, limits=limits)[1]["vip"] == ("chosen", None)
    standing = replace(NO_PAST, standing=frozenset({"cart"}))
    assert decide(CART, limits=limits, past=standing)[1]["cart"] == ("chosen", None)
    assert decide(CART, limits=replace(LIMITS, promotions_from=NOW))[1]["cart"] == ("chosen", None)


def test_a_segment_of_everybody_gets_nobody_new_on_that_channel_and_lets_others_go() -> None:
    wide = replace(CART, everybody_on=frozenset({"email"}))
    firsts, said = decide(wide, VIP)
    assert said == {"cart": ("dropped", "everybody"), "vip": ("chosen", None)}
    assert firsts["marketing"].segment == "vip"
    assert decide(wide, permit=only())[1]["cart"] == ("dropped", "no_consent")
    standing = replace(NO_PAST, standing=frozenset({"cart"}))
    assert decide(wide, past=standing)[1]["cart"] == ("chosen", None)
    elsewhere = replace(VIP, channels=("sms",), everybody_on=frozenset({"email"}))
    assert decide(elsewhere)[1]["vip"] == ("chosen", None)


def test_what_waits_on_site_takes_nobodys_place() -> None:
    firsts, said = decide(BANNER, CART)
    assert firsts["marketing"].segment == "cart"
    assert said["banner"] == ("chosen", None)


def test_who_may_not_be_reached_is_dropped_and_the_next_segment_goes_out() -> None:
    firsts, said = decide(CART, VIP, permit=only("sms"))
    assert said["cart"] == ("dropped", "no_consent")
    assert (firsts["marketing"].segment, firsts["marketing"].channel) == ("vip", "sms")
    assert firsts["marketing"].address_kind == "phone"


def test_the_stated_channel_goes_before_the_segments_order() -> None:
    firsts, _ = decide(VIP, person=replace(ANN, preferred_channel="sms"))
    assert firsts["marketing"].channel == "sms"
    firsts, _ = decide(VIP, person=replace(ANN, preferred_channel="sms"), permit=only("email"))
    assert firsts["marketing"].channel == "email"


@pytest.mark.parametrize(
    ("stated", "measured", "permitted", "expected"),
    [
        (None, "push", ("email", "sms", "push"), "push"),
        ("sms", "push", ("email", "sms", "push"), "sms"),
        ("sms", "push", ("email", "push"), "push"),
        ("sms", "push", ("email",), "email"),
        ("ads", "onsite", ("email", "sms"), "email"),  # the segment does not use them
        (None, None, ("sms", "push"), "sms"),
    ],
)
def test_the_stated_channel_goes_before_the_measured_one_and_both_before_the_segments_order(
    stated: str | None, measured: str | None, permitted: tuple[str, ...], expected: str
) -> None:
    person = replace(ANN, preferred_channel=stated, measured_channel=measured)
    best = replace(VIP, channels=("email", "sms", "push"))
    firsts, _ = decide(best, person=person, permit=only(*permitted))
    assert firsts["marketing"].channel == expected


def test_the_site_shows_nothing_of_a_segment_to_the_level_none() -> None:
    """However plain: what members alone are shown is not what everybody gets."""
    banner = replace(CART, channels=("onsite",), level="none")
    for level, expected in (("none", ("dropped", "level")), ("segment", ("chosen", None))):
        _, verdicts = decide(banner, person=replace(ANN, level=level))
        assert verdicts[banner.name] == expected


@pytest.mark.parametrize(
    ("level", "rules", "expected"),
    [
        ("full", CART, ("chosen", False)),
        ("segment", CART, ("chosen", True)),
        ("segment", replace(CART, has_plain=False), ("dropped", False)),
        ("segment", replace(CART, level="segment"), ("chosen", False)),
        ("none", CART, ("chosen", True)),
        ("none", replace(CART, level="segment"), ("chosen", True)),
        ("none", replace(CART, has_plain=False), ("dropped", False)),
        ("none", replace(CART, level="none"), ("chosen", False)),
        ("none", RECEIPT, ("chosen", False)),
    ],
)
def test_no_more_is_used_of_a_person_than_their_level_allows(
    level: str, rules: SegmentRules, expected: tuple[str, bool]
) -> None:
    firsts, _ = decide(rules, person=replace(ANN, level=level))
    (first,) = firsts.values()
    assert (str(first.outcome), first.is_plain) == expected


def test_who_is_held_out_of_all_or_of_one_gets_none_of_it_but_receipts() -> None:
    everywhere = replace(ANN, held_out=frozenset({GLOBAL}))
    _, said = decide(CART, VIP, BANNER, RECEIPT, person=everywhere)
    assert said == {
        **dict.fromkeys(("cart", "vip", "banner"), ("dropped", "holdout")),
        "receipt": ("chosen", None),
    }
    _, said = decide(CART, VIP, person=replace(ANN, held_out=frozenset({"cart"})))
    assert said == {"cart": ("dropped", "holdout"), "vip": ("chosen", None)}


def test_a_wish_has_its_time() -> None:
    late = replace(CART, not_after=HOUR)
    early = replace(CART, delay=4 * HOUR)
    hopeless = replace(CART, delay=4 * HOUR, not_after=2 * HOUR)
    done = replace(CART, exit_on=("order_placed",))
    assert decide(late)[1]["cart"] == ("dropped", "too_late")
    firsts, said = decide(early)
    assert said["cart"] == ("deferred", "too_early")
    assert firsts["marketing"].send_at == NOW + 3 * HOUR
    assert decide(hopeless)[1]["cart"] == ("dropped", "too_early")
    ordered = replace(ANN, last_done={"order_placed": NOW - HOUR // 2})
    before = replace(ANN, last_done={"order_placed": NOW - 2 * HOUR})
    assert decide(done, person=ordered)[1]["cart"] == ("dropped", "goal_reached")
    assert decide(done, person=before)[1]["cart"] == ("chosen", None)


@pytest.mark.parametrize(
    ("exit_reason", "reason"),
    [("goal_reached", "goal_reached"), ("not_after", "too_late"), ("cooldown", "cooldown")],
)
def test_whose_stay_has_ended_is_not_contacted_by_it(exit_reason: str, reason: str) -> None:
    rules = replace(CART, delay=4 * HOUR)
    for past in (Past(), Past(standing=frozenset({"cart"}))):
        verdicts = decide(rules, past=past, ended_by=ENDS_OF_STAYS[exit_reason])[1]
        assert verdicts["cart"] == ("dropped", reason)


def test_a_segment_comes_again_after_its_cooldown_alone() -> None:
    rules = replace(CART, cooldown=5 * DAY)
    recent = Past(last={"cart": NOW - 4 * DAY})
    firsts, said = decide(rules, past=recent)
    assert said["cart"] == ("deferred", "cooldown")
    assert firsts["marketing"].send_at == NOW + DAY
    assert decide(rules, past=Past(last={"cart": NOW - 5 * DAY}))[1]["cart"] == ("chosen", None)


def test_nobody_is_offered_what_they_just_bought() -> None:
    assert decide(VIP, bought_at=NOW - 13 * DAY)[1]["vip"] == ("deferred", "just_bought")
    assert decide(VIP, bought_at=NOW - 14 * DAY)[1]["vip"] == ("chosen", None)
    assert decide(THANKS, bought_at=NOW)[1]["thanks"] == ("chosen", None)


def test_a_list_of_whom_ads_leave_out_is_no_contact() -> None:
    """Nothing of the day takes anybody off it, and it takes nobody's day; permission is asked."""
    left_out = replace(
        VIP, name="out", channels=("ads",), purpose="ads", priority=1, is_exclusion=True
    )
    busy = Past(contacts=tuple(("other", NOW - hour * HOUR) for hour in range(9)))
    bought = replace(ANN, ordered_at=NOW - DAY, held_out=frozenset({GLOBAL}))
    firsts, verdicts = decide(left_out, person=bought, past=busy, bought_at=NOW - DAY)
    assert (firsts, verdicts["out"]) == ({}, ("chosen", None))
    firsts, verdicts = decide(left_out, VIP)
    assert [each.segment for each in firsts.values()] == ["vip"]
    assert verdicts == {"out": ("chosen", None), "vip": ("chosen", None)}
    refused = Permission(Reason.NO_CONSENT)
    assert decide(left_out, permit=lambda *_: refused)[1]["out"] == ("dropped", "no_consent")


@pytest.mark.parametrize("kind", MESSAGE_KINDS)
def test_after_an_order_only_thanks_education_and_service_go_out(kind: str) -> None:
    purpose = "transactional" if kind in {"transactional", "service"} else "marketing"
    rules = replace(VIP, message_kind=kind, purpose=purpose)
    _, said = decide(rules, person=replace(ANN, ordered_at=NOW - DAY))
    expected = ("chosen", None) if kind in AFTER_AN_ORDER else ("deferred", "quiet_time")
    assert said["vip"] == expected


@pytest.mark.parametrize("kind", [each for each in MESSAGE_KINDS if each not in OF_A_CONTRACT])
def test_an_offer_that_calls_itself_transactional_is_judged_as_marketing(kind: str) -> None:
    offer = replace(VIP, message_kind=kind, purpose="transactional")
    honest = replace(VIP, message_kind=kind)

    def unsubscribed(channel: str, purpose: str) -> Permission:
        refused = Permission(Reason.UNSUBSCRIBED)
        return yes(channel, purpose) if purpose == "transactional" else refused

    assert decide(offer, permit=unsubscribed)[1]["vip"] == ("dropped", "unsubscribed")
    busy = Past(contacts=(("other", MOMENT.day_start),))
    for person, past, more in (
        (ANN, busy, {}),
        (replace(ANN, held_out=frozenset({GLOBAL})), NO_PAST, {}),
        (replace(ANN, ordered_at=NOW - DAY), NO_PAST, {}),
        (ANN, NO_PAST, {"bought_at": NOW - DAY}),
        (replace(ANN, level="none"), NO_PAST, {}),
        (ANN, NO_PAST, {"limits": replace(LIMITS, promotions_from=NOW + DAY)}),
    ):
        told = decide(offer, person=person, past=past, **more)  # type: ignore[arg-type]
        assert told == decide(honest, person=person, past=past, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["transactional", "service"])
@pytest.mark.parametrize("purpose", [each for each in PURPOSES if each != "transactional"])
def test_a_message_that_calls_itself_a_receipt_has_the_limits_of_an_offer(
    kind: str, purpose: str
) -> None:
    rules = replace(VIP, message_kind=kind, purpose=purpose)
    assert decide(rules, bought_at=NOW - DAY)[1]["vip"] == ("deferred", "just_bought")
    buyer = replace(ANN, ordered_at=NOW - DAY)
    assert decide(rules, person=buyer)[1]["vip"] == ("deferred", "quiet_time")
    held = replace(LIMITS, promotions_from=NOW + DAY)
    assert decide(rules, limits=held)[1]["vip"] == ("deferred", "complaint_rate")
    _, said = decide(rules, opens=lambda channel, at: at + HOUR)
    assert said["vip"] == ("deferred", "quiet_hours")


def test_a_second_contact_of_a_day_waits_for_the_next() -> None:
    past = Past(contacts=(("other", MOMENT.day_start),))
    firsts, said = decide(CART, past=past)
    assert said["cart"] == ("deferred", "contact_cap")
    assert firsts["marketing"].send_at == MOMENT.day_end
    yesterday = Past(contacts=(("other", MOMENT.day_start - 1),))
    assert decide(CART, past=yesterday)[1]["cart"] == ("chosen", None)
    assert decide(RECEIPT, past=past)[1]["receipt"] == ("chosen", None)


def test_a_week_has_its_number_of_contacts() -> None:
    days = [NOW - 6 * DAY, NOW - 5 * DAY, NOW - 4 * DAY, NOW - 3 * DAY]
    past = Past(contacts=tuple(("other", at) for at in days))
    firsts, said = decide(CART, past=past)
    assert said["cart"] == ("deferred", "contact_cap")
    assert firsts["marketing"].send_at == days[0] + WEEK
    assert decide(CART, past=replace(past, contacts=past.contacts[1:]))[1]["cart"][0] == "chosen"


def test_who_stands_in_the_audience_stays_without_a_new_contact() -> None:
    past = Past(standing=frozenset({"cart"}), contacts=(("cart", MOMENT.day_start),))
    firsts, said = decide(CART, VIP, past=past, opens=lambda channel, at: at + HOUR)
    assert firsts["marketing"].is_standing
    assert said == {"cart": ("chosen", None), "vip": ("deferred", "contact_cap")}


def test_what_waits_for_the_end_of_quiet_hours_keeps_its_place_before_others_of_the_day() -> None:
    texts = replace(CART, channels=("sms",))

    def quiet(channel: str, at: int) -> int:
        return at + 2 * HOUR if channel == "sms" else at

    firsts, said = decide(texts, replace(VIP, channels=("email",)), opens=quiet)
    assert firsts["marketing"].segment == "cart"
    assert firsts["marketing"].send_at == NOW + 2 * HOUR
    assert said == {
        "cart": ("deferred", "quiet_hours"),
        "vip": ("deferred", "other_segment"),
    }
    past = Past(standing=frozenset({"vip"}))
    _, said = decide(texts, replace(VIP, channels=("email",)), past=past, opens=quiet)
    assert said["vip"] == ("chosen", None), "nobody leaves an audience before the next one has them"


def test_hours_that_never_open_send_nothing() -> None:
    _, said = decide(replace(CART, channels=("sms",)), opens=lambda channel, at: None)
    assert said["cart"] == ("dropped", "quiet_hours")


@pytest.mark.parametrize("names", [("alpha", "beta"), ("beta", "alpha")])
def test_of_two_segments_with_one_priority_the_first_by_name_goes(names: tuple[str, str]) -> None:
    _, said = decide(*(replace(CART, name=name) for name in names))
    assert said == {"alpha": ("chosen", None), "beta": ("deferred", "other_segment")}


def is_service(rules: SegmentRules) -> bool:
    kinds = {"transactional", "service", "thank_you"}
    return rules.purpose == "transactional" and rules.message_kind in kinds


RULES = st.builds(
    SegmentRules,
    name=st.sampled_from("abcdefgh"),
    channels=st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=3, unique=True).map(tuple),
    purpose=st.sampled_from(["marketing", "transactional", "ads"]),
    message_kind=st.sampled_from(MESSAGE_KINDS),
    priority=st.integers(1, 4),
    level=st.sampled_from(LEVELS),
    has_plain=st.booleans(),
    delay=st.integers(0, 5).map(lambda hours: hours * HOUR),
    not_after=st.none() | st.integers(1, 200).map(lambda hours: hours * HOUR),
    cooldown=st.integers(0, 9).map(lambda days: days * DAY),
    exit_on=st.sampled_from([(), ("order_placed",)]),
)
AGO = st.integers(0, 20 * 24).map(lambda hours: NOW - hours * HOUR)
PEOPLE = st.builds(
    Person,
    customer_id=st.just("ann"),
    level=st.sampled_from(LEVELS),
    ordered_at=st.none() | AGO,
    preferred_channel=st.none() | st.sampled_from(CHANNELS),
    measured_channel=st.none() | st.sampled_from(CHANNELS),
    held_out=st.frozensets(st.sampled_from([GLOBAL, *"abc"]), max_size=1),
    last_done=st.fixed_dictionaries({}, optional={"order_placed": AGO}),
)
PASTS = st.builds(
    Past,
    standing=st.frozensets(st.sampled_from("abcdefgh"), max_size=2),
    contacts=st.lists(st.tuples(st.sampled_from("abcdefgh"), AGO), max_size=5).map(
        lambda rows: tuple(row for row in rows if row[1] > NOW - WEEK)
    ),
    last=st.dictionaries(st.sampled_from("abcdefgh"), AGO, max_size=3),
)


@settings(max_examples=600, deadline=None)
@given(
    rules=st.lists(RULES, min_size=1, max_size=6, unique_by=lambda each: each.name),
    person=PEOPLE,
    past=PASTS,
    permitted=st.frozensets(st.sampled_from(CHANNELS)),
    quiet=st.booleans(),
    entered_at=AGO,
    bought_at=st.none() | AGO,
)
def test_what_must_never_happen_never_does(
    rules: list[SegmentRules],
    person: Person,
    past: Past,
    permitted: frozenset[str],
    quiet: bool,
    entered_at: int,
    bought_at: int | None,
) -> None:
    """Whatever wants the person, and whatever came before."""
    segments = {each.name: each for each in rules}
    limits = Limits()

    def opens(channel: str, at: int) -> int:
        return at + 3 * HOUR if quiet and channel in {"sms", "push"} else at

    arguments = (
        person,
        [Wish(name, entered_at, bought_at) for name in segments],
        segments,
        past,
        limits,
        MOMENT,
        only(*permitted),
        opens,
    )
    rows, verdicts = decide_day(*arguments)  # type: ignore[arg-type]
    assert (rows, verdicts) == decide_day(*arguments)  # type: ignore[arg-type]
    assert set(verdicts) == set(segments)
    assert len({row.contact_class for row in rows}) == len(rows)
    goes = [name for name, each in verdicts.items() if each.outcome is Outcome.CHOSEN]
    for name in goes:
        each, its = verdicts[name], segments[name]
        assert each.channel in permitted and each.channel in its.channels
        assert is_service(its) or not person.held_out & {GLOBAL, name}
        if not is_service(its):
            is_below = LEVELS.index(person.level) < LEVELS.index(its.level)
            assert each.is_plain == is_below and (its.has_plain or not is_below)
            if its.message_kind not in {"thank_you", "education"}:
                for moment, days in ((person.ordered_at, 14), (bought_at, 14)):
                    assert moment is None or moment + days * DAY <= NOW
    loud = [name for name in goes if verdicts[name].channel != WAITS]
    marketing = [name for name in loud if not is_service(segments[name])]
    assert len(marketing) <= 1 and len(loud) - len(marketing) <= 1
    for name in marketing:
        if not verdicts[name].is_standing:
            assert not [at for _, at in past.contacts if at >= MOMENT.day_start]
            assert len(past.contacts) < limits.per_week
            assert not (quiet and verdicts[name].channel in {"sms", "push"})
    for row in rows:
        told = {row.verdict.segment, *(each.segment for each in row.rivals)}
        assert len(told) == 1 + len(row.rivals), "each wish is told once"
    for each in verdicts.values():
        assert (each.reason is None) == (each.outcome is Outcome.CHOSEN)
        if each.outcome is Outcome.DEFERRED and each.send_at and each.not_after:
            assert each.send_at < each.not_after
