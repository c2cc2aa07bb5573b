"""Stripe dashboard, Payments > Export and Customers > Export.

Described at https://docs.stripe.com/reports/options . Times are in UTC. A charge names the shop's
order only where the shop wrote it there: in the metadata (a column such as `order_id (metadata)`)
or as invoice; without it the charge stands under its own id and no order is paid by it.
`Card Fingerprint` is the same for the same card.
"""

from __future__ import annotations

from ingestion.files.recognised.export import Export, Feed
from ingestion.files.recognised.sql import first_name, last_name

CHARGES = Feed(
    "payments",
    "payments",
    {
        "order_id": "coalesce(@[order_id (metadata)], @[Invoice Number], @[Invoice ID], @[id])",
        "provider": "'stripe'",
        "fingerprint": "@[Card Fingerprint]",
        "billing_email": "@[Customer Email]",
        "billing_name": "coalesce(@[Card Name], @[Customer Name])",
        # A charge that was given back later was paid
        "status": "case when lower(@[Status]) in ('refunded', 'partially refunded') then 'paid' "
        "else lower(@[Status]) end",
        "amount": "@[Amount]",
        "currency": "upper(@[Currency])",
        "paid_at": "@[Created date (UTC)]",
    },
)

CUSTOMERS = Feed(
    "contacts",
    "contacts",
    {
        "email": "@[Email]",
        "first_name": first_name("coalesce(@[Name], @[Card Name])"),
        "last_name": last_name("coalesce(@[Name], @[Card Name])"),
        "country": "@[Card Address Country]",
        "region": "@[Card Address State]",
        "source": "'import'",
        "created_at": "@[Created (UTC)]",
        "customer_ref": "@[id]",
    },
)

EXPORTS = (
    Export(
        "stripe_charges",
        "Stripe payments export",
        required=("id", "Created date (UTC)", "Amount", "Amount Refunded", "Currency", "Status"),
        feeds=(CHARGES,),
        other_names={
            "Created date (UTC)": ("Created (UTC)",),
            "order_id (metadata)": ("order (metadata)", "order_number (metadata)"),
        },
        point=False,
    ),
    Export(
        "stripe_customers",
        "Stripe customers export",
        required=("id", "Email", "Name", "Created (UTC)", "Delinquent"),
        feeds=(CUSTOMERS,),
    ),
)
