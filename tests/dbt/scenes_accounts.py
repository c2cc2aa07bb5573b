"""Scenes of people who type somebody else's address while their own account is signed in.

Belongs here: raw rows and nothing else, like in `scenes`. What must come of them stands in
tests/dbt/models/test_identity_accounts.py.
"""

# ruff: noqa: E501 - raw rows read best as a table, one to a line
from __future__ import annotations

from typing import Any

from tests.dbt.scenes import event, identify, order, person
from tests.dbt.world import World


def bought(number: int, at: str, device: str, login: str | None) -> dict[str, Any]:
    """The order of that number, completed on a device."""
    return event(number, at, device, login, "Order Completed", properties={"order_id": str(number)})


def accounts(world: World) -> None:
    """A victim with an account, one without, and people who are themselves under two of either.

    Last, somebody who buys in two stores of one chain and on its site.
    """
    world.add(
        "raw_web.events",
        [
            # Nina signs in with her address and orders; Theo, signed in as himself, types all of hers
            identify(9000, "02 09:00", "ninas-pc", "nina", email="nina@own.example"),
            bought(900, "02 10:00", "ninas-pc", "nina"),
            identify(9010, "03 09:00", "theos-pc", "theo", email="theo@own.example"),
            bought(901, "03 10:00", "theos-pc", "theo"),
            # Gina orders as a guest; Gus, who gave his name when signing in, types her address
            identify(
                9030,
                "03 09:00",
                "gus-pc",
                "gus",
                email="gus@own.example",
                firstName="Gus",
                lastName="Gray",
            ),
            bought(903, "03 10:00", "gus-pc", "gus"),
            # Hal orders with his work address
            identify(
                9040,
                "03 09:00",
                "hals-pc",
                "hal",
                email="hal@own.example",
                firstName="Hal",
                lastName="Hill",
            ),
            bought(904, "03 10:00", "hals-pc", "hal"),
            # Ivy has two accounts and signs in to both with one address
            identify(9050, "03 09:00", "ivys-pc", "ivy-1", email="ivy@own.example"),
            identify(9051, "03 09:00", "ivys-phone", "ivy-2", email="ivy@own.example"),
            bought(905, "03 10:00", "ivys-pc", "ivy-1"),
            bought(906, "04 10:00", "ivys-phone", "ivy-2"),
        ],
    )
    world.add(
        "raw_orders.orders",
        [
            order("900", "02 10:00:00", email="nina@own.example", customer={"id": 9000}, payment_fingerprint="card-nina", **person("Nina", "North")),
            order("901", "03 10:00:00", email="nina@own.example", customer={"id": 9000}, phone="07911 700901", **person("Nina", "North")),
            order("902", "02 10:00:00", email="gina@guest.example", payment_fingerprint="card-gina", **person("Gina", "Green")),
            order("903", "03 10:00:00", email="gina@guest.example", **person("Gina", "Green")),
            order("904", "03 10:00:00", email="hal@work.example", payment_fingerprint="card-hal", **person("Hal", "Hill")),
            order("905", "03 10:00:00", email="ivy@own.example", customer={"id": 9050}, **person("Ivy", "Inn")),
            order("906", "04 10:00:00", email="ivy@own.example", customer={"id": 9050}, **person("Ivy", "Inn")),
            # Jo pays by card in two stores, gives an address in one of them, and orders online with it
            order("907", "05 10:00:00", source_name="pos", location_id=71, payment_fingerprint="card-jo", email="jo@own.example", **person("Jo", "Jay")),
            order("908", "06 10:00:00", source_name="pos", location_id=72, payment_fingerprint="card-jo"),
            order("909", "07 10:00:00", email="jo@own.example", **person("Jo", "Jay")),
        ],
    )  # fmt: skip
