"""Who lives together, each test named after what it guards; people stay people throughout."""

from __future__ import annotations

import duckdb

from tests.dbt.models.test_identity import owner

Connection = duckdb.DuckDBPyConnection


def household(built: Connection, kind: str, value: str) -> tuple[str | None, ...] | None:
    """Household, basis, evidence and refusal of a person; None for one who shares nothing."""
    found = built.execute(
        "select household_id, basis, evidence, refusal_reason "
        "from intermediate.int_household_members where customer_id = ?",
        [owner(built, kind, value)],
    ).fetchall()
    assert len(found) <= 1
    return found[0] if found else None


def homes(built: Connection, kind: str, *values: str) -> set[str | None]:
    """The households of several people; None for one without."""
    found = [household(built, kind, value) for value in values]
    return {row[0] if row else None for row in found}


def test_two_spellings_of_an_address_are_one_home_of_two_people(built: Connection) -> None:
    pair = ("ewan@elm.example", "faye@elm.example")
    assert owner(built, "email", pair[0]) != owner(built, "email", pair[1])
    (home,) = homes(built, "email", *pair)
    assert home is not None
    found = household(built, "email", pair[0])
    assert found == (home, "address", "address shared with 1", None)


def test_a_family_of_three_by_card(built: Connection) -> None:
    three = [f"{name}@card.example" for name in ("gus", "hope", "iris")]
    assert len({owner(built, "email", mail) for mail in three}) == 3
    (home,) = homes(built, "email", *three)
    assert home is not None
    assert household(built, "email", three[2]) == (
        home, "payment_card", "payment_card shared with 2", None,
    )  # fmt: skip


def test_a_family_of_three_by_tablet(built: Connection) -> None:
    (home,) = homes(built, "login", "child-0", "child-1", "child-2")
    assert home is not None
    assert household(built, "login", "child-0") == (
        home, "device", "device shared with 2", None,
    )  # fmt: skip


def test_a_kiosk_is_no_home(built: Connection) -> None:
    assert homes(built, "login", *[f"guest-{n}" for n in range(7)]) == {None}
    assert refusals(built, "device") == [("kiosk", 7)]


def test_an_office_is_no_home(built: Connection) -> None:
    assert homes(built, "email", *[f"clerk{n}@office.example" for n in range(9)]) == {None}
    assert refusals(built, "address") == [("too_many_people", 9)]


def test_two_flats_of_one_house_are_two_homes(built: Connection) -> None:
    assert homes(built, "email", "una@flats.example", "vito@flats.example") == {None}


def test_whoever_moved_in_does_not_live_with_whoever_moved_out(built: Connection) -> None:
    assert homes(built, "email", "walt@moved.example", "xena@moved.example") == {None}


def test_a_parcel_to_a_friend_makes_no_home(built: Connection) -> None:
    assert homes(built, "email", "yan@gift.example", "zita@gift.example") == {None}


def test_a_chain_of_homes_is_none(built: Connection) -> None:
    found = {household(built, "email", f"link{n}@chain.example") for n in range(10)}
    assert {(row[0], row[3]) for row in found if row} == {(None, "too_many_people")}
    assert None not in found


def test_a_household_is_called_after_its_first_member(built: Connection) -> None:
    (wrong,) = built.execute(
        """
        select count(*) from (
            select household_id, arg_min(customer_id, (first_seen_at, customer_id)) as first_member
            from intermediate.int_household_members
            where household_id is not null group by household_id
        ) where household_id <> md5(concat(first_member, '|household'))
        """
    ).fetchone() or (None,)
    assert wrong == 0


def refusals(built: Connection, basis: str) -> list[tuple[str, int]]:
    """Reason and people of every refused value of a kind."""
    return built.execute(
        "select distinct refusal_reason, people_count from intermediate.int_household_ties "
        "where basis = ? and refusal_reason is not null order by all",
        [basis],
    ).fetchall()
