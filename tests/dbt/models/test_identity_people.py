"""People who are hard to tell apart, each test named after the trouble that it guards against."""

from __future__ import annotations

import duckdb

from tests.dbt.models.test_identity import customer_of_order, edge, owner

Connection = duckdb.DuckDBPyConnection


def mail(built: Connection, address: str) -> str | None:
    return owner(built, "email", address)


def test_a_familys_tablet_joins_nobody_even_without_logins(built: Connection) -> None:
    kate, liam = mail(built, "kate@reed.example"), mail(built, "liam@reed.example")
    assert len({kate, liam, owner(built, "device", "family-tablet")}) == 3
    assert edge(built, "family-tablet", "liam@reed.example") == ("refused", "shared_device")


def test_one_name_on_two_addresses_is_one_person(built: Connection) -> None:
    mia = mail(built, "mia@home.example")
    assert mail(built, "mia.stone@work.example") == mia
    assert mail(built, "sunny77@old.example") == mia
    assert owner(built, "device", "her-laptop") == mia


def test_a_chain_between_strangers_is_cut_at_its_weakest_tie(built: Connection) -> None:
    uma, will = mail(built, "uma@vale.example"), mail(built, "will@yard.example")
    assert uma != will
    assert mail(built, "sales77@chain.example") == will, "a paid order outranks a form"
    assert edge(built, "uma-pc", "sales77@chain.example") == ("refused", "several_people")
    assert owner(built, "device", "uma-pc") == uma


def test_a_household_card_does_not_join_an_address_named_after_another(built: Connection) -> None:
    assert mail(built, "noah@pike.example") != mail(built, "rosa.pike@pike.example")
    assert owner(built, "payment_card", "card-home") is None


def test_an_initial_that_does_not_fit_is_somebody_else(built: Connection) -> None:
    assert mail(built, "otto@wick.example") != mail(built, "hwick@wick.example")


def test_two_people_who_swap_addresses_stay_two(built: Connection) -> None:
    assert mail(built, "one@swap.example") != mail(built, "two@swap.example")
    assert edge(built, "swap-pc", "one@swap.example") == ("refused", "shared_device")


def test_an_offices_account_is_nobodys(built: Connection) -> None:
    assert owner(built, "shopify_customer_id", "7600") is None
    vic, zoe = customer_of_order(built, "760"), customer_of_order(built, "761")
    assert vic == owner(built, "payment_card", "card-vic") is not None
    assert zoe == owner(built, "payment_card", "card-zoe") is not None
    assert vic != zoe


def test_a_phone_that_was_passed_on_joins_nobody(built: Connection) -> None:
    assert owner(built, "phone", "+447911700770") is None
    assert owner(built, "payment_card", "card-then") != mail(built, "now@phone.example")
    assert edge(built, "+447911700770", "now@phone.example") == ("refused", "passed_on")


def test_another_phone_on_a_card_is_not_taken_for_the_owners(built: Connection) -> None:
    assert owner(built, "phone", "+447911700781") != mail(built, "pat@card.example")
    assert edge(built, "+447911700781", "card-pat") == ("refused", "unnamed_record")
    assert customer_of_order(built, "781") == customer_of_order(built, "780")


def test_a_nameless_till_account_is_not_taken_for_the_card_owners(built: Connection) -> None:
    """Households pay with one card; a till receipt often says no name."""
    assert owner(built, "orders_customer_id", "T-800") != mail(built, "hana@till.example")
    assert edge(built, "card-hana", "T-800") == ("refused", "unnamed_record")
    assert owner(built, "payment_card", "card-hana") == mail(built, "hana@till.example")


def test_a_name_on_the_payment_alone_makes_the_card_somebodys(built: Connection) -> None:
    assert edge(built, "card-ivo", "pillow9@till.example") == ("refused", "unnamed_record")
    assert owner(built, "device", "ivos-pc") == mail(built, "ivo@till.example")
    assert mail(built, "pillow9@till.example") != mail(built, "ivo@till.example")


def test_an_address_with_the_first_name_on_the_card_is_the_owners(built: Connection) -> None:
    assert mail(built, "jana.k@till.example") == mail(built, "pillow8@till.example")


def test_a_nameless_account_keeps_its_own_card(built: Connection) -> None:
    assert owner(built, "payment_card", "card-alone") == owner(built, "orders_customer_id", "T-801")


def test_a_phone_on_bare_receipts_does_not_bring_the_card_to_its_last_owner(
    built: Connection,
) -> None:
    """Who has the number now may not be who gave it to us when opening an account."""
    assert owner(built, "payment_card", "card-new") != mail(built, "kim@phone.example")
    assert edge(built, "+447911700803", "card-new") == ("refused", "unnamed_record")


def test_a_card_and_a_phone_that_nobody_else_showed_belong_together(built: Connection) -> None:
    assert owner(built, "payment_card", "card-pair") == owner(built, "phone", "+447911700804")


def test_a_guests_phone_does_not_join_whose_tablet_it_was_typed_on(built: Connection) -> None:
    """An order without an account bears a name, and the tablet is another's."""
    assert owner(built, "phone", "+447911700806") != mail(built, "lou@tablet.example")
    assert edge(built, "lous-tablet", "+447911700806") == ("refused", "several_people")
    assert edge(built, "lous-tablet", "lou@tablet.example") == ("used", None)


def test_a_nameless_visitor_of_a_familys_tablet_is_nobody_of_it(built: Connection) -> None:
    """A second device of either says that the first may be shared."""
    assert mail(built, "cushion7@tablet.example") != mail(built, "lou@tablet.example")
    assert edge(built, "cushion7@tablet.example", "lous-tablet") == ("refused", "unnamed_visitor")


def test_a_number_given_at_the_till_by_another_address_long_before_was_passed_on(
    built: Connection,
) -> None:
    assert owner(built, "phone", "+447911700807") is None
    assert mail(built, "curtain6@phone.example") != mail(built, "mona@phone.example")
    assert edge(built, "+447911700807", "curtain6@phone.example") == ("refused", "passed_on")


def test_a_phone_kept_for_long_stays_its_owners(built: Connection) -> None:
    assert owner(built, "phone", "+447911700772") == mail(built, "kept@phone.example")
    assert customer_of_order(built, "772") == customer_of_order(built, "773")


def test_a_login_over_its_limit_is_demoted_and_the_rest_is_tied_without_it(
    built: Connection,
) -> None:
    assert owner(built, "login", "staff-7") is None
    owners = {mail(built, f"c{n}@counter.example") for n in range(9)}
    assert len(owners) == 9
    assert mail(built, "c3@counter.example") == owner(built, "device", "counter-3")
    assert edge(built, "staff-7", "c3@counter.example") == ("refused", "too_many_emails")


def test_cannot_link_splits_through_whatever_tied_the_two(built: Connection) -> None:
    one, two = mail(built, "x1@apart.example"), mail(built, "x2@apart.example")
    assert one != two
    assert owner(built, "loyalty_id", "L77") == one, "the better evidence keeps it"
    assert edge(built, "x2@apart.example", "L77") == ("refused", "cannot_link")


def test_a_contradiction_keeps_people_apart(built: Connection) -> None:
    assert mail(built, "y1@both.example") != mail(built, "y2@both.example")
    assert edge(built, "y1@both.example", "y2@both.example") == ("refused", "cannot_link")


def test_must_link_joins_two_names(built: Connection) -> None:
    assert mail(built, "vera@one.example") == mail(built, "wera@two.example")
    assert edge(built, "vera@one.example", "wera@two.example") == ("used", None)


def test_no_person_has_two_full_names_through_a_bridge(built: Connection) -> None:
    (mixed,) = built.execute(
        """
        select count(*) from (
            select drafts.component
            from intermediate.int_identity_core_facts as facts
            join intermediate.int_identity_components as drafts on facts.core = drafts.node
            where facts.fact_type = 'full_name' and facts.fact_count = 1
            group by drafts.component
            having count(distinct facts.fact) > 1
        )
        """
    ).fetchone() or (None,)
    assert mixed == 0


def test_nobody_becomes_a_crowd(built: Connection) -> None:
    """A chain of addresses ends where it would be more than one person has; the rest is another."""
    owners = [mail(built, f"c{n:02}@chain.example") for n in range(25)]
    sizes = [owners.count(one) for one in dict.fromkeys(owners)]
    assert None not in owners
    assert len(sizes) == 2 and max(sizes) <= 20
    refused = built.execute(
        "select count(*) from marts.fct_identity_edges where refusal_reason = 'too_many'"
    ).fetchone()
    assert refused == (1,)


def test_an_address_with_swapped_letters_is_a_slip_unless_it_was_used_again(
    built: Connection,
) -> None:
    """The domain that more people use is meant, though both have one order."""
    assert mail(built, "ada.slip@post.example") == mail(built, "ada.slip@psot.example")
    assert mail(built, "bea.twin@post.example") == mail(built, "bea.twin@psot.example")
    slips = built.execute(
        "select identifier_value from intermediate.int_email_slips "
        "where identifier_value like '%.slip@%' or identifier_value like '%.twin@%' order by 1"
    ).fetchall()
    assert slips == [("ada.slip@psot.example",), ("bea.twin@post.example",)]


def test_a_login_is_a_sign_of_life_of_the_accounts_address(built: Connection) -> None:
    found = built.execute(
        "select email, last_login_at::varchar from intermediate.int_email_logins "
        "where email like 'ada.slip@%'"
    ).fetchall()
    assert found == [("ada.slip@post.example", "2026-05-20 08:00:00")]
