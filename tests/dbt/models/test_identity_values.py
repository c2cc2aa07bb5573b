"""What single values say: placeholders, a shop's own numbers, countries of phones, ids given up.

Belongs here: values that a source wrote in a way of its own, each with its defined outcome. Does not
belong here: what ties people over several records (test_identity_people).
"""

# ruff: noqa: E501 - raw rows read best as a table, one to a line
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.dbt import scenes
from tests.dbt.world import World

AS_OF = "2026-06-01 00:00:00"
PEOPLE = (
    *("--select", "+int_identity_last_solved", "+int_customers", "+int_orders_resolved"),
    *("+int_contacts_resolved", "+qa_refused_identifiers", "--exclude", "path:tests"),
)
STAND_FOR_NOBODY = (
    '"null"', "'Undefined'", "( none )", "(Not Set)", "Not-Authenticated", "DISTINCT ID",
    "[object Object]", "<unknown>", "N.A.", "{00000000-0000-0000-0000-000000000000}",
    "Guest Checkout", "unknown_user", "[REDACTED]", "Gastkunde",
    "0.0", "??", "11111111-1111-1111-1111-111111111111", "\u533f\u540d",
)  # fmt: skip
OWN_NUMBERS = ("1", "11", "111", "1111", "9999", "99999999")
SPARE = "1111"


def listed(email: str | None, **more: str) -> dict[str, str | None]:
    """An entry of a list, at a time of its own."""
    return {"email": email, "source": "newsletter", "created_at": "2026-05-01 00:00:00"} | more


def till(number: str, customer: str, **more: str) -> dict[str, str]:
    """A line of a till's file."""
    return {
        "order_id": number, "line_id": "1", "ordered_at": "2026-05-02 10:00:00",
        "customer_ref": customer, "sku": "S1", "quantity": "1", "unit_price": "5", "currency": "GBP",
    } | more  # fmt: skip


def bill(country: str, first: str = "", last: str = "") -> dict[str, object]:
    """Whom the bill goes to."""
    return {"billing_address": {"country_code": country, "first_name": first, "last_name": last}}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """One small shop, modelled once."""
    world = World(Path(tmp_path_factory.mktemp("values")), AS_OF)
    events = []
    for number, login in enumerate(STAND_FOR_NOBODY):
        for visitor in (0, 1):
            row = 100 + number * 2 + visitor
            email = f"visitor{row}@nobody.example"
            events.append(scenes.identify(row, "02 09:00", f"nobody-{row}", login, email=email))
    named = [
        ("shopper", "amy@sh.example", "Amy", "Nash"), ("shopper", "ben@sh.example", "Ben", "Poe"),
        ("bride", "eva@b.example", "Eva", "Hall"), ("bride", "eva.new@b.example", "Eva", "Stone"),
        ("giver", "gia@g.example", "Gia", "Moss"), ("giver", "gia@g.example", "Leo", "Reed"),
    ]  # fmt: skip
    for number, (login, email, first, last) in enumerate(named):
        traits = {"email": email, "firstName": first, "lastName": last}
        events.append(scenes.identify(200 + number, "03 09:00", f"named-{number}", login, **traits))
    events += [
        scenes.identify(
            300,
            "04 09:00",
            "web-fr",
            None,
            email="web@fr.example",
            phone="06 12 34 56 78",
            country="France",
        ),
        scenes.event(
            301,
            "04 09:00",
            "web-us",
            type="identify",
            traits={"email": "web@us.example", "phone": "(415) 555-0134"},
            context={"location": {"country": "US"}},
        ),
        # an earlier visit, an earlier login and a placeholder, each given up for a login
        scenes.event(310, "05 09:00", "before"),
        scenes.event(311, "05 09:05", None, "u-alias", type="alias", previous_id="before"),
        scenes.identify(312, "05 09:06", "after", "u-alias", email="alias@a.example"),
        scenes.identify(313, "05 10:00", "old-phone", "old-login", email="old@a.example"),
        scenes.event(
            314, "06 09:00", "new-phone", "new-login", type="alias", previous_id="old-login"
        ),
        scenes.identify(315, "06 09:01", "new-phone", "new-login", email="new@a.example"),
        scenes.identify(316, "06 10:00", "null", None, email="one@given-up.example"),
        scenes.event(317, "06 10:01", None, "u-null", type="alias", previous_id="null"),
        scenes.identify(318, "06 10:02", "of-null", "u-null", email="two@given-up.example"),
        scenes.event(319, "06 10:03", None, "u-unseen", type="alias", previous_id="never-seen"),
        # logins that are addresses; one of them typed another's at the checkout
        scenes.event(330, "07 09:00", "desk", "Sam@Login.example"),
        scenes.event(331, "07 10:00", "thief", "mallory@login.example"),
        scenes.event(
            332,
            "07 10:05",
            "thief",
            "mallory@login.example",
            "Checkout Started",
            properties={"email": "sam@login.example"},
        ),
        scenes.event(333, "07 11:00", "no-address", "not an @ddress"),
    ]
    world.add("raw_web.events", events)
    world.add(
        "raw_orders.order_lines",
        [
            *(till(f"R{number}", number) for number in OWN_NUMBERS),
            till("R-de", "C-de", phone="0151 23456789", country="Germany"),
            till("R-ref", "C-17", email=""),
            till("R-of-none", "none"),
            *(till(f"R-many-{n}", "MANY") for n in range(3)),
            till("R-beside", "C-beside", email="office@beside.example"),
            till("R-sole", "C-sole", email="office@sole.example", phone="07700 900301"),
            till("R-eva", "C-eva", email="buero@crew.example", phone="07700 900311"),
            till("R-dach", "C-dach", email="info.berlin@chain.example", phone="07700 900313"),
        ],
    )
    world.add(
        "raw_orders.orders",
        [
            scenes.order("us", "03 09:00:00", email="us@o.example", phone="(415) 555-0199", **bill("US")),
            scenes.order("visit", "03 09:01:00", email="visit@o.example", phone="07700 900155", **bill("US")),
            scenes.order("ie", "03 09:02:00", email="ie@o.example", phone="07700900000", **bill("IE")),
            scenes.order("home", "03 09:04:00", email="home@o.example", customer={"phone": "06 98 76 54 32", "default_address": {"country_code": "FR"}}),
            scenes.order("plus", "03 09:03:00", email="plus@o.example", phone="+44 7700 900156", **bill("US")),
            scenes.order("solo1", "04 09:00:00", email="hello@solo.example", **bill("GB", "Tess", "Field")),
            scenes.order("solo2", "05 09:00:00", email="hello@solo.example", **bill("GB", "Tess", "Field")),
            scenes.order("desk1", "04 09:00:00", email="info@desk.example", **bill("GB", "Kit", "Long")),
            scenes.order("desk2", "05 09:00:00", email="info@desk.example", **bill("GB", "Mia", "Short")),
            scenes.order("team1", "04 10:00:00", email="team@many.example", customer={"id": 9001}, **bill("GB", "Ida", "Wells")),
            scenes.order("team2", "05 10:00:00", email="team@many.example", customer={"id": 9002}),
            scenes.order("beside", "04 11:00:00", email="office@beside.example", **bill("GB", "Ada", "Green")),
            # Eva and Tom write from one address without their names, which stand beside their numbers
            scenes.order("crew-eva", "04 12:00:00", email="eva@crew.example", phone="07700 900311", **bill("GB", "Eva", "Braun")),
            scenes.order("crew-tom", "04 12:00:00", email="tom@crew.example", phone="07700 900312", **bill("GB", "Tom", "Klein")),
            scenes.order("crew-first", "04 13:00:00", email="buero@crew.example", phone="07700 900312", **bill("GB", "Tom", "")),
            scenes.order("chain", "04 12:00:00", email="info.berlin@chain.example", phone="07700 900314", **bill("GB", "Pia", "Roth")),
            scenes.order("sole", "04 11:00:00", email="office@sole.example", phone="07700 900301", **bill("GB", "Una", "Park")),
        ],
    )  # fmt: skip
    world.add(
        "raw_contacts.contacts",
        [
            listed("de@c.example", phone="0151 23456780", country="DE"),
            listed("odd@c.example", phone="020 7946 0123", country="Atlantis"),
            listed("mail@alone.example", first_name="Lou", last_name="Field"),
            listed("shop@bare.example"),
            listed("ref@c.example", customer_ref="C-17"),
            listed(None, customer_ref="C-18", phone="07700 900177"),
            *(listed(None, customer_ref="MANY", source=f"list{n}", first_name=first, last_name=last)
              for n, (first, last) in enumerate([("Abe", "Cole"), ("Dot", "Finn"), ("Gus", "Hart")])),
        ],
    )  # fmt: skip
    world.build(*PEOPLE)
    with world.warehouse() as connection:
        yield connection


def owner(shop: duckdb.DuckDBPyConnection, kind: str, value: str) -> str | None:
    """Whose a value is."""
    row = shop.execute(
        "select customer_id from intermediate.int_customer_identifiers "
        "where identifier_type = ? and identifier_value = ?",
        [kind, value],
    ).fetchone()
    return str(row[0]) if row and row[0] else None


def why(shop: duckdb.DuckDBPyConnection, kind: str, value: str) -> tuple[str | None, str | None]:
    """Why a value is blocked and why it is shared."""
    row = shop.execute(
        "select block_reason, share_reason from intermediate.int_customer_identifiers "
        "where identifier_type = ? and identifier_value = ?",
        [kind, value],
    ).fetchone()
    assert row, f"{kind} {value} is not known"
    return row


def buyer(shop: duckdb.DuckDBPyConnection, order: str) -> str | None:
    """Whose an order is."""
    row = shop.execute(
        "select customer_id from intermediate.int_orders_resolved where order_id = ?", [order]
    ).fetchone()
    assert row
    return row[0]


def phones(shop: duckdb.DuckDBPyConnection, email: str) -> list[str]:
    """The numbers of whoever has an address."""
    rows = shop.execute(
        "select identifier_value from intermediate.int_customer_identifiers "
        "where identifier_type = 'phone' and customer_id = ? order by 1",
        [owner(shop, "email", email)],
    ).fetchall()
    return [value for (value,) in rows]


@pytest.mark.parametrize("number", range(len(STAND_FOR_NOBODY)))
def test_an_id_that_stands_for_none_joins_nobody(
    shop: duckdb.DuckDBPyConnection, number: int
) -> None:
    first, second = (f"visitor{100 + number * 2 + n}@nobody.example" for n in (0, 1))
    assert owner(shop, "email", first) != owner(shop, "email", second)
    assert owner(shop, "login", STAND_FOR_NOBODY[number]) is None
    assert why(shop, "login", STAND_FOR_NOBODY[number])[0] is not None


def test_a_placeholder_that_no_list_knows_shows_by_its_names(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    assert why(shop, "login", "shopper") == (None, "several_names")
    assert owner(shop, "email", "amy@sh.example") != owner(shop, "email", "ben@sh.example")


def test_a_new_last_name_or_a_name_on_a_gift_is_no_second_person(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    assert owner(shop, "email", "eva@b.example") == owner(shop, "email", "eva.new@b.example")
    assert owner(shop, "login", "giver") == owner(shop, "email", "gia@g.example") is not None


def test_a_number_that_lists_give_to_several_names_is_nobodys(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    assert why(shop, "orders_customer_id", "MANY") == (None, "several_names")
    assert buyer(shop, "R-many-0") is None


@pytest.mark.parametrize("number", OWN_NUMBERS)
def test_a_shops_own_number_is_a_customer_whatever_its_digits(
    shop: duckdb.DuckDBPyConnection, number: str
) -> None:
    assert buyer(shop, f"R{number}") == owner(shop, "orders_customer_id", number) is not None


def test_a_word_for_none_in_a_customer_number_is_nobody(shop: duckdb.DuckDBPyConnection) -> None:
    assert buyer(shop, "R-of-none") is None


@pytest.mark.parametrize(
    ("email", "number"),
    [
        ("us@o.example", ["+14155550199"]),
        # Not possible in the bill's country: the shop's
        ("visit@o.example", ["+447700900155"]),
        ("plus@o.example", ["+447700900156"]),
        ("home@o.example", ["+33698765432"]),
        ("de@c.example", ["+4915123456780"]),
        ("odd@c.example", ["+442079460123"]),
        ("web@fr.example", ["+33612345678"]),
        ("web@us.example", ["+14155550134"]),
        # Made up, whatever the country
        ("ie@o.example", []),
    ],
)
def test_a_number_is_read_by_its_records_country(
    shop: duckdb.DuckDBPyConnection, email: str, number: list[str]
) -> None:
    assert phones(shop, email) == number


def test_a_tills_country_reads_its_numbers(shop: duckdb.DuckDBPyConnection) -> None:
    assert owner(shop, "phone", "+4915123456789") == buyer(shop, "R-de") is not None


def test_what_people_read_is_the_number_alone(shop: duckdb.DuckDBPyConnection) -> None:
    for table in ("int_orders_resolved", "int_contacts_resolved"):
        found = shop.execute(
            f"select count(*) from intermediate.{table} where phone like '%country=%'"
        ).fetchone()
        assert found == (0,)


def test_an_alias_ties_the_visit_before_it(shop: duckdb.DuckDBPyConnection) -> None:
    assert owner(shop, "device", "before") == owner(shop, "email", "alias@a.example") is not None


def test_an_alias_ties_an_earlier_login(shop: duckdb.DuckDBPyConnection) -> None:
    assert owner(shop, "email", "old@a.example") == owner(shop, "email", "new@a.example")
    assert owner(shop, "login", "old-login") == owner(shop, "login", "new-login") is not None


def test_an_alias_of_nobody_or_of_what_was_never_seen_ties_nobody(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    assert owner(shop, "email", "one@given-up.example") != owner(
        shop, "email", "two@given-up.example"
    )
    never = shop.execute(
        "select count(*) from intermediate.int_identifiers where identifier_value = 'never-seen'"
    ).fetchone()
    assert never == (0,)


def test_a_login_that_is_an_address_is_reached_there(shop: duckdb.DuckDBPyConnection) -> None:
    sam = owner(shop, "login", "Sam@Login.example")
    assert sam == owner(shop, "email", "sam@login.example") is not None
    assert owner(shop, "login", "not an @ddress") is not None


def test_typing_anothers_address_while_signed_in_with_ones_own_is_no_proof(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    mallory = owner(shop, "login", "mallory@login.example")
    assert mallory == owner(shop, "email", "mallory@login.example")
    assert mallory != owner(shop, "email", "sam@login.example")


def test_a_role_address_under_one_name_or_none_is_an_address(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    assert (
        buyer(shop, "solo1") == buyer(shop, "solo2") == owner(shop, "email", "hello@solo.example")
    )
    assert buyer(shop, "solo1") is not None
    assert owner(shop, "email", "mail@alone.example") is not None
    assert owner(shop, "email", "shop@bare.example") is not None


def test_a_role_address_of_several_is_nobodys(shop: duckdb.DuckDBPyConnection) -> None:
    assert why(shop, "email", "info@desk.example") == (None, "role_address")
    assert buyer(shop, "desk1") is None
    assert why(shop, "email", "team@many.example") == (None, "role_address")
    assert buyer(shop, "team1") != buyer(shop, "team2")


def test_whoever_gave_no_name_at_a_role_address_is_not_taken_for_the_one_who_did(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    """Her name stands nowhere beside the number at the till, so that may be a colleague's."""
    assert why(shop, "email", "office@beside.example") == (None, "role_address")
    assert buyer(shop, "beside") is None
    assert buyer(shop, "R-beside") == owner(shop, "orders_customer_id", "C-beside") is not None


def test_people_without_names_at_a_role_address_are_told_apart_by_what_they_have_elsewhere(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    assert why(shop, "email", "buero@crew.example") == (None, "role_address")
    eva, tom = buyer(shop, "crew-eva"), buyer(shop, "crew-tom")
    assert eva is not None and tom is not None and eva != tom
    assert buyer(shop, "R-eva") == eva
    assert buyer(shop, "crew-first") == tom


def test_the_department_of_an_address_may_have_a_further_word(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    assert why(shop, "email", "info.berlin@chain.example") == (None, "role_address")
    assert buyer(shop, "R-dach") != buyer(shop, "chain")


def test_a_phone_beside_her_name_shows_that_the_till_receipt_is_hers_too(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    assert why(shop, "email", "office@sole.example") == (None, None)
    assert buyer(shop, "sole") == buyer(shop, "R-sole") is not None


def test_a_customer_number_in_a_list_meets_the_till(shop: duckdb.DuckDBPyConnection) -> None:
    assert buyer(shop, "R-ref") == owner(shop, "email", "ref@c.example") is not None
    assert owner(shop, "orders_customer_id", "C-18") == owner(shop, "phone", "+447700900177")


def test_sales_that_belong_to_nobody_stand_beside_the_value_that_took_their_customer(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    found = shop.execute(
        "select identifier_type, identifier_value, reason, is_blocked, order_count, net_sales::double "
        "from marts.qa_refused_identifiers where order_count > 0 order by all"
    ).fetchall()
    assert found == [
        ("email", "info@desk.example", "role_address", False, 2, 200.0),
        ("email", "office@beside.example", "role_address", False, 1, 100.0),
        ("orders_customer_id", "MANY", "several_names", False, 3, 15.0),
        ("orders_customer_id", "none", "placeholder", True, 1, 5.0),
    ]


def test_every_value_that_stands_for_nobody_is_listed(shop: duckdb.DuckDBPyConnection) -> None:
    listed_values = {
        value
        for (value,) in shop.execute(
            "select identifier_value from marts.qa_refused_identifiers where identifier_type = 'login'"
        ).fetchall()
    }
    assert {*STAND_FOR_NOBODY, "shopper"} <= listed_values
