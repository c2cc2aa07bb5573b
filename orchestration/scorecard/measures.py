"""How close a found partition of identifiers comes to the true one, in whole numbers.

Belongs here: pairwise and B-cubed measures, merges of people, best email, kept ids, as SQL over
contingency counts; no pair is ever enumerated, so a million people fit. Does not belong here:
where the tables come from (inputs) and who made a partition (rivals).

**What is compared.** The elements are the truth's *exclusive* identifiers: those that one person
alone owns and nobody else shows. A kiosk, a family tablet, a household card, a role address, a
placeholder or a recycled phone has no single right customer, so it is no element; what it does is
seen on the elements around it, as a merge of people. The found side gives an identifier at most
one customer (the smallest, should it list several); one it does not know, or gives no customer,
stands alone.

- *Precision* is over pairs of exclusive identifiers with one customer: how many of them are one
  person's.
- *Recall* is over pairs of exclusive identifiers in one evidence group, that is, which some chain
  of one person's records ties together; nothing can join more than that without guessing: how many
  of them have one customer. A right pair that no evidence ties counts for precision only.
- Without any pair to judge, a measure is 1: nothing was wrong.

**Tables on the connection.** `truth` (person, identifier_type, identifier_value, value, evidence,
trouble, is_exclusive; one row per person and identifier; person, value and evidence are integers
from 1), `people` (person, best_email), `found` (identifier_type, identifier_value, customer_id),
`golden` (customer_id, email) and `found_before` (as `found`). `tabulate` makes `customers` and
`cells` from them, which everything else reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Connection = Any  # duckdb.DuckDBPyConnection, which carries no types here


@dataclass(frozen=True)
class Score:
    """Precision and recall, as exact fractions."""

    precision: Fraction
    recall: Fraction

    @property
    def f1(self) -> Fraction:
        """Their harmonic mean; 0 if both are."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else Fraction(0)


@dataclass(frozen=True)
class Pairs:
    """Pairs of exclusive identifiers, counted.

    `matched` have one customer, of which `correct` are one person's; `joinable` are in one evidence
    group, of which `joined` have one customer.
    """

    matched: int
    correct: int
    joinable: int
    joined: int

    @property
    def score(self) -> Score:
        """Pairwise precision and recall."""
        return Score(_ratio(self.correct, self.matched), _ratio(self.joined, self.joinable))


# One row per (customer, person, evidence group) that share identifiers: the contingency table.
_CUSTOMERS = """
create or replace temp table customers as
select customer_id, row_number() over (order by customer_id) as customer
from (select distinct customer_id from found where customer_id is not null)
"""
_CELLS = """
create or replace temp table cells as
with holders as (
    select identifier_type, identifier_value, min(customer) as customer
    from found join customers using (customer_id)
    group by all
)
select coalesce(holders.customer, -truth.value) as customer, truth.person, truth.evidence,
    count(*) as identifiers
from truth left join holders using (identifier_type, identifier_value)
where truth.is_exclusive
group by all
"""


def tabulate(con: Connection) -> None:
    """Make `customers` and `cells` from `truth` and `found`; the measures read these."""
    con.execute(_CUSTOMERS)
    con.execute(_CELLS)


_PAIRS = """
with marked as (select *, {touches} as touches from cells),
by_customer as (
    select sum(identifiers) as n, coalesce(sum(identifiers) filter (not touches), 0) as others
    from marked group by customer
),
by_customer_and_person as (
    select sum(identifiers) as n from marked where touches group by customer, person
),
by_evidence as (select sum(identifiers) as n from marked where touches group by evidence),
by_cell as (select identifiers as n from marked where touches)
select
    (select coalesce(sum(n * (n - 1) // 2 - others * (others - 1) // 2), 0) from by_customer),
    (select coalesce(sum(n * (n - 1) // 2), 0) from by_customer_and_person),
    (select coalesce(sum(n * (n - 1) // 2), 0) from by_evidence),
    (select coalesce(sum(n * (n - 1) // 2), 0) from by_cell)
"""
_OWNERS = "person in (select person from truth where trouble = $trouble)"


def count_pairs(con: Connection, trouble: str = "") -> Pairs:
    """Every pair; with a trouble, the pairs that touch a person who has it.

    A pair touches a person if at least one of its two identifiers is that person's. Who owns an
    identifier with the trouble, shared or not, has it.
    """
    query = _PAIRS.format(touches=_OWNERS if trouble else "true")
    row = con.execute(query, {"trouble": trouble} if trouble else None).fetchone()
    return Pairs(*map(int, row))


# Sums of squares per size of the denominator: one exact fraction for each size that occurs.
_B_CUBED_PRECISION = """
with shares as (select customer, sum(identifiers) as n from cells group by customer, person),
sized as (select n, sum(n) over (partition by customer) as size from shares)
select size, sum(n * n) from sized group by size order by size
"""
_B_CUBED_RECALL = """
with sized as (
    select identifiers as n, sum(identifiers) over (partition by evidence) as size from cells
)
select size, sum(n * n) from sized group by size order by size
"""


def b_cubed(con: Connection) -> Score:
    """B-cubed: the mean over identifiers, so that a large customer weighs as its members do.

    An identifier's precision is the share of its customer's identifiers that are its person's; its
    recall is the share of its evidence group's identifiers that have its customer.
    """
    total = count_elements(con)
    return Score(_mean(con, _B_CUBED_PRECISION, total), _mean(con, _B_CUBED_RECALL, total))


def _mean(con: Connection, query: str, total: int) -> Fraction:
    rows = con.execute(query).fetchall()
    return _ratio(sum((Fraction(int(n), int(size)) for size, n in rows), Fraction(0)), total)


# People are kinds: those with the same values and the same customers. Kinds that meet at one
# (value, customer) are merged with each other, whole; so people are multiplied, never listed.
_MERGES = """
with homes as (
    select distinct customer, person from cells where customer in (
        select customer from cells group by customer having count(distinct person) > 1
    )
),
owners as ({owners}),
stays as (
    select homes.person, owners.value, homes.customer from homes join owners using (person)
),
places as (
    select value, customer, row_number() over (order by value, customer) as place
    from stays group by value, customer having count(*) > 1
),
persons as (
    select person, list(place order by place) as kept from stays join places using (value, customer)
    group by person
),
kinds as (
    select kept, count(*) as n, row_number() over (order by kept) as kind from persons group by kept
),
spread as (select kind, n, unnest(kept) as place from kinds),
met as (
    select distinct a.kind as one, b.kind as other, a.n as one_n, b.n as other_n
    from spread as a join spread as b on a.place = b.place and a.kind <= b.kind
)
select coalesce(sum(
    case when one = other then one_n * (one_n - 1) // 2 else one_n * other_n end
), 0)
from met
"""
_ALL_PEOPLE = "select distinct person, 0 as value from cells"
_OWNERS_OF_VALUES = "select distinct person, value from truth where trouble = $trouble"


def count_merges(con: Connection, trouble: str = "") -> int:
    """Pairs of different people who share a customer; with a trouble, who also own one such value.

    Two people share a customer if exclusive identifiers of both have it. With a trouble: both used
    that very kiosk or tablet, paid with that card, stand under that address, number or placeholder.
    Each pair of people counts once, however many customers and values they share.
    """
    query = _MERGES.format(owners=_OWNERS_OF_VALUES if trouble else _ALL_PEOPLE)
    row = con.execute(query, {"trouble": trouble} if trouble else None).fetchone()
    return int(row[0])


def count_people(con: Connection, trouble: str = "") -> int:
    """People with any exclusive identifier; with a trouble, people who own a value that has it."""
    if trouble:
        query = "select count(distinct person) from truth where trouble = $trouble"
        return int(con.execute(query, {"trouble": trouble}).fetchone()[0])
    return int(con.execute("select count(distinct person) from cells").fetchone()[0])


def count_elements(con: Connection) -> int:
    """How many exclusive identifiers there are."""
    return int(con.execute("select coalesce(sum(identifiers), 0) from cells").fetchone()[0])


_BEST_EMAIL = """
with asked as (
    select people.person, people.best_email, truth.evidence, min(customers.customer) as shown_by
    from people
    join truth on truth.person = people.person and truth.identifier_type = 'email'
        and lower(truth.identifier_value) = lower(people.best_email)
    left join found using (identifier_type, identifier_value)
    left join customers using (customer_id)
    group by people.person, people.best_email, truth.evidence
),
homes as (
    select asked.*, cells.customer from asked join cells using (person, evidence)
    qualify row_number() over (
        partition by person order by identifiers desc, customer is distinct from shown_by, customer
    ) = 1
)
select count(*), count(*) filter (lower(trim(golden.email)) = lower(homes.best_email))
from homes
left join customers using (customer)
left join golden using (customer_id)
"""


def best_email_accuracy(con: Connection) -> Fraction:
    """The share of people whose customer shows their best email.

    Asked are people with a best email in the truth that the data shows as theirs. Their customer is
    the one with most of their exclusive identifiers that evidence can tie to that email; of equals,
    the one that has it. Needs `golden`.
    """
    asked, right = con.execute(_BEST_EMAIL).fetchone()
    return _ratio(int(right), int(asked))


_KEPT_IDS = """
select count(*), count(*) filter (now.customer_id = before.customer_id)
from found as now join found_before as before using (identifier_type, identifier_value)
where now.customer_id is not null and before.customer_id is not null
"""


def id_stability(con: Connection) -> Fraction:
    """Of the identifiers with a customer before and now, the share whose id is the same."""
    both, same = con.execute(_KEPT_IDS).fetchone()
    return _ratio(int(same), int(both))


def _ratio(part: Fraction | int, whole: int) -> Fraction:
    return Fraction(part) / whole if whole else Fraction(1)
