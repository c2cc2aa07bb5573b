"""Which addresses and numbers were proved to be their owner's, and since when."""

from __future__ import annotations

from pathlib import Path

from tests.dbt.world import World

MODELS = (
    *("--select", "+bridge_customer_identifiers"),
    *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
)


def test_a_list_a_double_opt_in_or_shopify_says_that_an_address_is_verified(tmp_path: Path) -> None:
    """The first time counts, a moment after the run not at all, a single opt-in proves nothing."""
    world = World(tmp_path, "2026-05-20 00:00:00")
    listed = [
        ("Listed@Proved.example", None, "2026-05-04 09:00:00"),
        ("later@proved.example", None, "2026-05-25 09:00:00"),
        ("both@proved.example", "+447700900001", "2026-05-06 09:00:00"),
        (None, "+447700900002", "2026-05-05 09:00:00"),
        ("plain@proved.example", None, None),
    ]
    world.add(
        "raw_contacts.contacts",
        [
            {
                "email": email,
                "phone": phone,
                "source": "newsletter",
                "created_at": "2026-05-01 08:00:00",
                "verified_at": verified_at,
            }
            for email, phone, verified_at in listed
        ],
    )
    world.add(
        "raw_shopify.customers",
        [
            {
                "shopify_customer_id": number,
                "email": f"{number}@proved.example",
                "created_at": "2026-05-01 08:00:00",
                "updated_at": "2026-05-02 08:00:00",
                "payload": {"verifiedEmail": said},
            }
            for number, said in (("71", True), ("72", False))
        ],
    )
    consents = [
        ("listed@proved.example", "double_optin", "2026-05-02 09:00:00"),
        ("single@proved.example", "form", "2026-05-02 09:00:00"),
        ("confirmed@proved.example", "confirmed_opt_in", "2026-05-03 09:00:00"),
    ]
    world.export(
        "consent_events",
        [
            {
                "consent_event_id": f"c{number}",
                "identifier_type": "email",
                "identifier_value": email,
                "channel": "email",
                "purpose": "marketing",
                "status": "granted",
                "occurred_at": at,
                "source": "form",
                "proof": proof,
                "lawful_basis": "consent",
                "recorded_at": at,
            }
            for number, (email, proof, at) in enumerate(consents)
        ],
    )
    world.build(*MODELS)
    with world.warehouse() as connection:
        found = connection.execute(
            "select identifier_value, is_verified, day(verified_at)"
            " from marts.bridge_customer_identifiers"
            " where identifier_type in ('email', 'phone') order by 1"
        ).fetchall()
    assert found == [
        ("+447700900001", False, None),
        ("+447700900002", True, 5),
        ("71@proved.example", True, None),
        ("72@proved.example", False, None),
        ("both@proved.example", True, 6),
        ("confirmed@proved.example", True, 3),
        ("later@proved.example", False, None),
        ("listed@proved.example", True, 2),
        ("plain@proved.example", False, None),
        ("single@proved.example", False, None),
    ]
