"""Which of several claims survives in the golden record, and that the others stay visible.

Belongs here: one person of many names and addresses, the shop's own rules, every other rule, and
the sentences for rules that make no sense. Does not belong here: which address is best (bridge).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from tests.dbt.marts.people import AS_OF, ago
from tests.dbt.marts.shop import Shop

GOLDEN = ("fct_customer_field_provenance", "dim_customers", "customer_contact_details")
PAID, TYPED = {"is_card_paid": True}, {"is_card_paid": False}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    built = Shop(tmp_path_factory.mktemp("golden_record"), AS_OF)
    add_ann(built)
    add_half_names(built)
    add_places(built)
    built.build(up_to=GOLDEN)
    yield built


def add_ann(shop: Shop) -> None:
    """Several names, countries, birthdays and addresses; two till cards; a box ticked, then not."""
    at = ago(days=600)
    shop.person("ann", at, known=False)
    shop.rows["int_customers"][-1]["has_known_identifier"] = True
    card = {"evidence_grade": "card_paid_order", "evidence_rank": 1, "observation_count": 3}
    shop.identifier("ann", "email", "ann@shop.example", at, **card)
    shop.identifier("ann", "email", "old@shop.example", at, evidence_grade="import")
    shop.identifier("ann", "phone", "+441", at, last_seen_at=ago(days=5))
    names = {"first_name": "Ann", "last_name": "Lee"}
    shop.order("ann", ago(days=300), order_id="o1", country_code="GB", **names, **PAID,
               email="ann@shop.example", accepts_marketing=True)  # fmt: skip
    shop.order("ann", ago(days=200), order_id="o2", country_code="GB", **names, **PAID)
    shop.order("ann", ago(days=100), order_id="o3", country_code="FR", first_name="Anne",
               last_name="Leigh", **TYPED, accepts_marketing=False)  # fmt: skip
    shop.order("ann", ago(days=10), order_id="o4", country_code="XX", is_test=True)
    _contact(shop, "ann", "k1", ago(days=50), "newsletter", contact_source="klaviyo",
             first_name="Annie", country_code="US", email="old@shop.example",
             timezone="Europe/Paris")  # fmt: skip
    _contact(shop, "ann", "t1", ago(days=400), "store_till", birthday=dt.date(1980, 1, 2),
             loyalty_id="77", postcode="AB1 2CD")  # fmt: skip
    _contact(shop, "ann", "i1", ago(days=20), "import", birthday=dt.date(1979, 12, 31),
             loyalty_id="99", postcode="ZZ9 9ZZ", loyalty_tier="gold")  # fmt: skip


def add_half_names(shop: Shop) -> None:
    shop.person("half", ago(days=9))
    _contact(shop, "half", "h1", ago(days=9), "store_till", first_name="Bo")
    _contact(shop, "half", "h2", ago(days=8), "newsletter", first_name="Beau", last_name="Ray")
    shop.person("initial", ago(days=9))
    shop.order("initial", ago(days=9), order_id="j1", first_name="Jade", last_name="Hill", **PAID)
    shop.order("initial", ago(days=8), order_id="j2", first_name="J.", last_name="Hill", **PAID)


# Country and region of each order, the oldest first, and the region that survives
PLACES: dict[str, tuple[list[tuple[str | None, str | None]], str | None]] = {
    "a code": ([("US", "TX")], "TX"),
    "a code with its country": ([("US", "us-tx")], "TX"),
    "a name": ([("US", " Texas ")], "TX"),
    "a name with an accent": ([("CA", "Québec")], "QC"),
    "moved": ([("US", "TX"), ("US", "FL")], "FL"),
    "moved, nobody says where to": ([("US", "TX"), ("US", None)], None),
    "moved to what is no region": ([("US", "TX"), ("US", "AE")], None),
    "moved abroad": ([("US", "TX"), ("GB", "ENG")], None),
    "moved to a country that has the code too": ([("US", "NL"), ("CA", "NL")], "NL"),
    "an order without an address": ([("US", "TX"), (None, None)], "TX"),
    "a country without regions": ([("JP", "JP-26")], None),
    "another alphabet": ([("RU", "Москва")], None),
    "no country": ([(None, "TX")], None),
}


def add_places(shop: Shop) -> None:
    for customer, (orders, _) in PLACES.items():
        shop.person(customer, ago(days=90))
        for index, (country, region) in enumerate(orders):
            shop.order(customer, ago(days=80 - index), country_code=country, region=region)
    shop.person("opens mail", ago(days=90))
    texas = {"contact_source": "shopify", "country_code": "US", "region": "TX"}
    _contact(shop, "opens mail", "s1", ago(days=50), "checkout", **texas)
    inferred = {"contact_source": "klaviyo", "country_code": "US"}
    _contact(shop, "opens mail", "k2", ago(days=9), "newsletter", **inferred)


def _contact(
    shop: Shop, customer: str, key: str, at: dt.datetime, grade: str, **facts: object
) -> None:
    row = {"contact_key": key, "source_record_id": key, "contact_source": "contacts"} | facts
    shop.add(
        "int_contacts_resolved", customer_id=customer, created_at=at, evidence_grade=grade, **row
    )


def claims(shop: Shop, field: str, customer: str = "ann") -> list[tuple[object, ...]]:
    rows = shop.query(
        "select claimed_value, source_record_id, evidence_grade, fact_kind, claim_count, is_winner "
        f"from marts.fct_customer_field_provenance where customer_id = '{customer}' "
        f"and field = '{field}' order by is_winner desc, claimed_value"
    )
    return [tuple(row.values()) for row in rows]


def test_an_initial_does_not_hide_a_whole_name(shop: Shop) -> None:
    ((first, last),) = [
        tuple(row.values())
        for row in shop.query(
            "select first_name, last_name from marts.dim_customers where customer_id = 'initial'"
        )
    ]
    assert (first, last) == ("Jade", "Hill")


EXPECTED = {
    "first_name": [
        ("Ann", "o2", "card_paid_order", "observed", 2, True),
        ("Anne", "o3", "checkout", "observed", 1, False),
        ("Annie", "k1", "newsletter", "stated", 1, False),
    ],
    "last_name": [
        ("Lee", "o2", "card_paid_order", "observed", 2, True),
        ("", "k1", "newsletter", "stated", 1, False),
        ("Leigh", "o3", "checkout", "observed", 1, False),
    ],
    "country_code": [
        ("FR", "o3", "checkout", "observed", 1, True),
        ("GB", "o2", "card_paid_order", "observed", 2, False),
        ("US", "k1", "newsletter", "inferred", 1, False),
    ],
    "birthday": [
        ("1980-01-02", "t1", "store_till", "stated", 1, True),
        ("1979-12-31", "i1", "import", "stated", 1, False),
    ],
    "timezone": [("Europe/Paris", "k1", "newsletter", "inferred", 1, True)],
    "loyalty_tier": [("gold", "i1", "import", "stated", 1, True)],
    "accepts_marketing": [
        ("false", "o3", "checkout", "stated", 1, True),
        ("true", "o1", "card_paid_order", "stated", 1, False),
    ],
    "email": [
        ("ann@shop.example", "o1", "card_paid_order", "observed", 3, True),
        ("old@shop.example", "k1", "import", "stated", 1, False),
    ],
    "phone": [("+441", None, "checkout", "observed", 1, True)],
    "gender": [],
}


@pytest.mark.parametrize("field", EXPECTED)
def test_the_winner_has_its_record_and_the_losers_stay_visible(shop: Shop, field: str) -> None:
    assert claims(shop, field) == EXPECTED[field]


def test_both_halves_of_a_name_come_from_one_record(shop: Shop) -> None:
    [row] = shop.query("from marts.dim_customers where customer_id = 'half'")
    assert (row["first_name"], row["last_name"]) == ("Bo", None)
    assert [claim[0] for claim in claims(shop, "last_name", "half")] == ["", "Ray"]


def test_the_golden_record_is_the_winners(shop: Shop) -> None:
    for table in ("dim_customers", "customer_contact_details"):
        wrong = shop.query(f"""
            select p.field from marts.fct_customer_field_provenance p
            join (unpivot (select columns(*)::text from marts.{table})
                  on * exclude (customer_id) into name field value value) t
                on t.customer_id = p.customer_id and t.field = p.field
            where p.is_winner <> (p.claimed_value = t.value)
        """)
        assert not wrong


def region(shop: Shop, customer: str) -> object:
    [row] = shop.query(f"select region from marts.dim_customers where customer_id = '{customer}'")
    return row["region"]


@pytest.mark.parametrize("customer", PLACES)
def test_the_region_is_that_of_the_newest_record_that_names_the_country(
    shop: Shop, customer: str
) -> None:
    assert region(shop, customer) == PLACES[customer][1]


def test_a_country_that_the_mail_system_works_out_hides_no_region(shop: Shop) -> None:
    assert region(shop, "opens mail") == "TX"


OTHER_RULES = {
    "first_name": ("most_recent", True, None),
    "last_name": ("most_recent", True, None),
    "country_code": ("most_frequent", True, None),
    "birthday": ("minimum", True, None),
    "postcode": ("maximum", True, None),
    "loyalty_id": ("union", True, None),
    "timezone": ("source_priority", False, "contacts klaviyo"),
    "loyalty_tier": ("most_recent", False, None),
    "accepts_marketing": ("any", True, None),
}


@pytest.fixture(scope="module")
def other_rules(shop: Shop) -> Iterator[Shop]:
    """The same people under every other rule; the shop's own rules come back afterwards."""
    before = shop.query("from seeds.survivorship_rules")
    for field, (rule, ignore_empty, priority) in OTHER_RULES.items():
        set_rule(shop, field, rule, ignore_empty, priority)
    done = shop.dbt("run", "--select", "int_customer_claims", *GOLDEN)
    assert done.returncode == 0, done.stdout
    yield shop
    for row in before:
        set_rule(shop, row["field"], row["rule"], row["ignore_empty"], row["source_priority"])


def set_rule(shop: Shop, field: str, rule: str, ignore_empty: bool, priority: str | None) -> None:
    with shop.writer() as connection:
        connection.execute(
            "update seeds.survivorship_rules set rule = ?, ignore_empty = ?, source_priority = ? "
            "where field = ?",
            [rule, ignore_empty, priority, field],
        )


def test_every_other_rule_decides_as_it_says(other_rules: Shop) -> None:
    [person] = other_rules.query("from marts.dim_customers where customer_id = 'ann'")
    [details] = other_rules.query("from marts.customer_contact_details where customer_id = 'ann'")
    assert (person["first_name"], person["last_name"]) == ("Annie", None), "most_recent"
    assert person["country_code"] == "GB", "most_frequent"
    assert details["birthday"] == dt.date(1979, 12, 31), "minimum"
    assert details["postcode"] == "ZZ9 9ZZ", "maximum"
    assert details["loyalty_id"] == "77, 99", "union"
    assert details["timezone"] is None, "the source named first left it empty, and that counts"
    assert details["loyalty_tier"] == "gold", "most_recent"
    assert details["accepts_marketing"] is True, "any"


def test_all_needs_every_box(other_rules: Shop) -> None:
    set_rule(other_rules, "accepts_marketing", "all", True, None)
    assert other_rules.dbt("run", "--select", *GOLDEN).returncode == 0
    [details] = other_rules.query("from marts.customer_contact_details where customer_id = 'ann'")
    assert details["accepts_marketing"] is False


WRONG = {
    "an unknown rule": (
        "update seeds.survivorship_rules set rule = 'newest' where field = 'job'",
        "survivorship_rules: 'newest' is no rule for job; its rules are best_grade, most_recent",
    ),
    "an unknown field": (
        "update seeds.survivorship_rules set field = 'shoe_size' where field = 'job'",
        "survivorship_rules: 'shoe_size' is no field; the fields are first_name, last_name",
    ),
    "one place of two": (
        "update seeds.survivorship_rules set rule = 'union' where field = 'region_code'",
        "survivorship_rules: 'union' is no rule for region_code; its rules are best_grade",
    ),
    "a field without a rule": (
        "delete from seeds.survivorship_rules where field = 'job'",
        "survivorship_rules: 'job' has no rule",
    ),
    "two records for one name": (
        "update seeds.survivorship_rules set rule = 'most_frequent' where field = 'last_name'",
        "survivorship_rules: first_name and last_name come from one record",
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_rule_that_makes_no_sense_stops_with_one_sentence(shop: Shop, mistake: str) -> None:
    change, sentence = WRONG[mistake]
    before = shop.query("from seeds.survivorship_rules")
    with shop.writer() as connection:
        connection.execute(change)
    done = shop.dbt("run", "--select", "dim_customers")
    with shop.writer() as connection:
        connection.execute("delete from seeds.survivorship_rules")
        for row in before:
            marks = ", ".join("?" for _ in row)
            connection.execute(
                f"insert into seeds.survivorship_rules values ({marks})", list(row.values())
            )
    assert done.returncode != 0
    assert sentence in " ".join(done.stdout.split())
