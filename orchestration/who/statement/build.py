"""A statement from a person's rows: its heading and its sections in their order.

Belongs here: that order. Does not belong here: what each section tells.

Nothing of anybody else is in it. Values that several people share, what lost against the person's
own value, and rows of households are not read; traits that may be about others are named without
their value; an address or number within a text that is not the person's own is masked.
"""

from __future__ import annotations

from orchestration.who.statement import expected, known, permission, purchases
from orchestration.who.statement.parts import Asked, Statement, Tables, own_only
from orchestration.words import amounts


def statement(tables: Tables, asked: Asked) -> Statement:
    """The statement of a person.

    Args:
        tables: all rows of the person by table, as `subject.rows_of` has them.
        asked: what else is told.
    """
    zone, shop = asked.settings.shop.zone, asked.settings.shop.name
    about = f"Written on {amounts.day(asked.at, zone)}."
    if asked.as_of:
        about += f" What we know is as of {amounts.day(asked.as_of, zone)}; what you permitted and"
        about += " who received something, as of now."
    own = own_only(tables)
    sections = [
        known.who(tables, asked, own),
        known.traits(tables, asked, own),
        expected.expected(tables, asked, own),
        purchases.orders(tables, asked),
        known.contacts(tables, asked, own),
        permission.uses(tables, asked, own),
        permission.permitted(tables, asked, own),
        permission.statements(tables, asked, own),
        permission.received(tables, asked),
        permission.changes(asked),
    ]
    return Statement(f"What {shop} knows about you", about, sections)
