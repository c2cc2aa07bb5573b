"""Scenes of people who are hard to tell apart: families, offices, passed-on phones, chains.

Belongs here: raw rows and nothing else, like in `scenes`. What must come of them stands in
tests/dbt/models/test_identity_people.py.
"""

# ruff: noqa: E501 - raw rows read best as a table, one to a line
from __future__ import annotations

from typing import Any

from tests.dbt.scenes import event, identify, order, person
from tests.dbt.world import World


def at(row: dict[str, Any], moment: str) -> dict[str, Any]:
    """The same row at another time."""
    return row | {"created_at": moment, "processed_at": moment, "updated_at": moment}


def seen_on(device: str) -> list[dict[str, str]]:
    """What the shop's script leaves on an order: the device."""
    return [{"name": "anonymousId", "value": device}]


def receipt(number: str, **shown: str) -> dict[str, Any]:
    """A till receipt of one line; the till knows no names."""
    return {
        "order_id": number,
        "line_id": "1",
        "ordered_at": "2026-05-10 12:00:00",
        "sku": "S1",
        "quantity": 1,
        "unit_price": "20.00",
        "currency": "GBP",
        "sales_channel": "store",
        "is_return": False,
    } | shown


def people(world: World) -> None:
    """Families, offices, passed-on phones, chains between strangers, rules about them."""
    world.add(
        "raw_web.events",
        [
            # a family's tablet without any login
            identify(
                700,
                "02 09:00",
                "family-tablet",
                None,
                email="kate@reed.example",
                firstName="Kate",
                lastName="Reed",
            ),
            event(
                701,
                "03 09:00",
                "family-tablet",
                None,
                "Order Completed",
                properties={"order_id": "701"},
            ),
            # one person: a work address and an old newsletter address on one laptop
            event(
                710,
                "02 09:00",
                "her-laptop",
                None,
                "Order Completed",
                properties={"order_id": "710"},
            ),
            event(
                711,
                "03 09:00",
                "her-laptop",
                None,
                "Order Completed",
                properties={"order_id": "711"},
            ),
            identify(712, "04 09:00", "her-laptop", None, email="sunny77@old.example"),
            # a chain: Uma's device, an address without a name, Will's phone
            event(
                720, "02 09:00", "uma-pc", None, "Order Completed", properties={"order_id": "720"}
            ),
            identify(721, "03 09:00", "uma-pc", None, email="sales77@chain.example"),
            # a staff login behind the counter
            *[
                identify(
                    730 + n, "05 09:00", f"counter-{n}", "staff-7", email=f"c{n}@counter.example"
                )
                for n in range(9)
            ],
            # two people who swapped addresses, seen on one device
            event(
                750, "06 09:00", "swap-pc", None, "Order Completed", properties={"order_id": "750"}
            ),
            event(
                751, "06 10:00", "swap-pc", None, "Order Completed", properties={"order_id": "752"}
            ),
        ],
    )
    world.add(
        "raw_orders.orders",
        [
            order("701", "03 09:00:00", email="liam@reed.example", **person("Liam", "Reed")),
            order("710", "02 09:00:00", email="mia@home.example", **person("Mia", "Stone")),
            order("711", "03 09:00:00", email="mia.stone@work.example", **person("Mía Jane", "Stone")),
            order("720", "02 09:00:00", email="uma@vale.example", **person("Uma", "Vale")),
            order("721", "04 09:00:00", email="sales77@chain.example", phone="07911 700720"),
            order("722", "05 09:00:00", email="will@yard.example", phone="07911 700720", **person("Will", "Yard")),
            # a household card: the address without a name is called like somebody else
            order("740", "02 09:00:00", email="noah@pike.example", payment_fingerprint="card-home", **person("Noah", "Pike")),
            order("741", "03 09:00:00", email="rosa.pike@pike.example", payment_fingerprint="card-home"),
            order("742", "03 09:00:00", email="r1@rosas.example", **person("Rosa", "Quick")),
            order("743", "03 09:00:00", email="r2@rosas.example", **person("Rosa", "Light")),
            # and the same with an initial
            order("744", "02 09:00:00", email="otto@wick.example", payment_fingerprint="card-wick", **person("Otto", "Wick")),
            order("745", "03 09:00:00", email="hwick@wick.example", payment_fingerprint="card-wick"),
            order("750", "06 09:00:00", email="one@swap.example", **person("Ann", "Bell")),
            order("751", "07 09:00:00", email="one@swap.example", **person("Carl", "Dunn")),
            order("752", "06 10:00:00", email="two@swap.example", **person("Carl", "Dunn")),
            order("753", "07 10:00:00", email="two@swap.example", **person("Ann", "Bell")),
            # an office whose people order from one account
            order("760", "02 09:00:00", email="info@firm.example", customer={"id": 7600}, payment_fingerprint="card-vic", **person("Vic", "Hall")),
            order("761", "03 09:00:00", email="info@firm.example", customer={"id": 7600}, payment_fingerprint="card-zoe", **person("Zoe", "Ives")),
            # a number that somebody else got half a year later
            at(order("770", "02 09:00:00", phone="07911 700770", payment_fingerprint="card-then"), "2025-05-02 09:00:00"),
            order("771", "03 09:00:00", phone="07911 700770", email="now@phone.example", payment_fingerprint="card-now"),
            # a household card: the receipt with another phone says nothing else of who paid
            order("780", "02 09:00:00", email="pat@card.example", phone="07911 700780", payment_fingerprint="card-pat"),
            order("781", "03 09:00:00", phone="07911 700781", payment_fingerprint="card-pat"),
            order("790", "02 09:00:00", email="vera@one.example", **person("Vera", "Ash")),
            order("791", "03 09:00:00", email="wera@two.example", **person("Wera", "Asch")),
            # one person who keeps number and card for as long
            at(order("772", "02 09:00:00", phone="07911 700772", payment_fingerprint="card-kept"), "2025-05-02 09:00:00"),
            order("773", "03 09:00:00", phone="07911 700772", email="kept@phone.example", payment_fingerprint="card-kept"),
        ],
    )  # fmt: skip
    world.add(
        "raw_orders.orders",
        [
            # somebody at the till pays with Hana's card and shows a customer card
            order("800", "02 09:00:00", email="hana@till.example", payment_fingerprint="card-hana", **person("Hana", "Dale")),
            # a guest's card bears a name on the payment alone; at the till it is another's
            order("801", "02 09:00:00", payment_fingerprint="card-ivo", note_attributes=seen_on("ivos-pc")),
            order("802", "03 09:00:00", email="ivo@till.example", note_attributes=seen_on("ivos-pc"), **person("Ivo", "Dale")),
            # an address that bears the first name on the card
            order("803", "02 09:00:00", email="pillow8@till.example", payment_fingerprint="card-jana", **person("Jana", "Dale")),
            # who opened an account with a number, and receipts that show it beside a card
            order("804", "02 09:00:00", email="kim@phone.example", phone="07911 700803", **person("Kim", "Dale")),
            # a guest on another's tablet
            order("805", "02 09:00:00", phone="07911 700806", note_attributes=seen_on("lous-tablet"), **person("Max", "Dale")),
            order("806", "03 09:00:00", email="lou@tablet.example", note_attributes=seen_on("lous-tablet"), **person("Lou", "Dale")),
            # a number that an address gave long before another's account
            order("807", "20 09:00:00", email="mona@phone.example", customer={"id": 8070}, phone="07911 700807", **person("Mona", "Dale")),
        ],
    )  # fmt: skip
    world.add(
        "raw_orders.order_lines",
        [
            receipt("S800", customer_ref="T-800", payment_fingerprint="card-hana"),
            receipt("S801", customer_ref="T-801", payment_fingerprint="card-alone"),
            receipt("S802", email="pillow9@till.example", payment_fingerprint="card-ivo"),
            receipt("S803", email="jana.k@till.example", payment_fingerprint="card-jana"),
            receipt("S804", phone="07911 700803", payment_fingerprint="card-new"),
            receipt("S805", phone="07911 700804", payment_fingerprint="card-pair"),
            receipt("S807", email="curtain6@phone.example", phone="07911 700807") | {"ordered_at": "2025-06-10 12:00:00"},
        ],
    )  # fmt: skip
    world.add(
        "raw_payments.payments",
        [
            {"order_id": "801", "provider": "stripe", "fingerprint": "card-ivo", "billing_name": "Ivo Dale",
             "status": "succeeded", "amount": "100.00", "currency": "GBP", "paid_at": "2026-05-02 09:00:00"},
        ],
    )  # fmt: skip
    world.add(
        "raw_web.events",
        [
            identify(806, "04 09:00", "lous-tablet", None, email="cushion7@tablet.example"),
            identify(807, "04 10:00", "cushions-pc", None, email="cushion7@tablet.example"),
            # an account that is used elsewhere later, without its address being typed again
            identify(821, "02 09:00", "adas-pc", "ada-slip", email="ada.slip@post.example"),
            event(822, "20 08:00", "adas-phone", "ada-slip"),
        ],
    )
    contact = {"source": "newsletter", "created_at": "2026-05-10 10:00:00"}
    world.add(
        "raw_contacts.contacts",
        [
            # cannot-link: two addresses that only a loyalty card ties
            contact | {"email": "x1@apart.example", "loyalty_id": "L77"},
            contact | {"email": "x2@apart.example", "loyalty_id": "L77", "source": "import"},
            contact | {"email": "y1@both.example"},
            contact | {"email": "y2@both.example"},
            # a chain of strangers: each address gives the number of the one before, and a number of its own
            *[
                {
                    "source": source,
                    "email": f"c{n:02}@chain.example",
                    "phone": f"07911 7102{n + step:02}",
                    "created_at": f"2026-05-01 10:{n:02}:00",
                }
                for n in range(25)
                for step, source in enumerate(("newsletter", "import"))
            ],
        ],
    )
    world.add(
        "raw_orders.orders",
        [
            # letters swapped once; and a mailbox of its own that only looks like that
            order("821", "02 09:00:00", email="ada.slip@post.example", customer={"id": 821}, **person("Ada", "Slip")),
            order("822", "03 09:00:00", email="ada.slip@psot.example", customer={"id": 821}, **person("Ada", "Slip")),
            order("823", "02 09:00:00", email="bea.twin@post.example", customer={"id": 823}, **person("Bea", "Twin")),
            order("824", "03 09:00:00", email="bea.twin@psot.example", customer={"id": 823}, **person("Bea", "Twin")),
            order("825", "04 09:00:00", email="bea.twin@psot.example", customer={"id": 823}, **person("Bea", "Twin")),
            order("826", "02 09:00:00", email="cleo@post.example", **person("Cleo", "Post")),
        ],
    )  # fmt: skip
    rule = {"type_a": "email", "type_b": "email", "reason": "they told us"}
    world.add(
        "raw_identity_rules.identity_rules",
        [
            rule
            | {"rule": "cannot_link", "value_a": "x1@apart.example", "value_b": "x2@apart.example"},
            # a contradiction: the side that keeps people apart wins
            rule
            | {"rule": "must_link", "value_a": "y1@both.example", "value_b": "y2@both.example"},
            rule
            | {"rule": "cannot_link", "value_a": "y2@both.example", "value_b": "y1@both.example"},
            # whom a rule joins is one person, whatever the names say
            rule
            | {"rule": "must_link", "value_a": "vera@one.example", "value_b": "wera@two.example"},
            # a value that nothing ever showed
            rule
            | {"rule": "must_link", "value_a": "y1@both.example", "value_b": "never@seen.example"},
        ],
    )
