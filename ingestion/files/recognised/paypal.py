"""PayPal, Activity > Download: a CSV of everything that moved, here the payments received.

Described at https://www.paypal.com/us/cshelp/article/how-do-i-view-and-download-statements-and-
reports-help145 . Headers and figures are in the account's language; day and month stand in its
order, which the file's own days show. `TimeZone` is an abbreviation (PST) or a name.

`Gross` is below zero for what left the account: refunds, fees, withdrawals; those rows, what is not
completed and what only reserves money say nothing about a payment. The shop's order is `Invoice
Number` or `Custom Number`.
"""

from __future__ import annotations

from ingestion.duckdb import literal
from ingestion.files.recognised.export import Export, Feed

_OFFSETS = {
    **{"PST": "-08:00", "PDT": "-07:00", "MST": "-07:00", "MDT": "-06:00", "CST": "-06:00"},
    **{"CDT": "-05:00", "EST": "-05:00", "EDT": "-04:00", "GMT": "+00:00", "UTC": "+00:00"},
    **{"BST": "+01:00", "WET": "+00:00", "WEST": "+01:00", "CET": "+01:00", "CEST": "+02:00"},
    **{"MEZ": "+01:00", "MESZ": "+02:00", "EET": "+02:00", "EEST": "+03:00", "JST": "+09:00"},
    **{"AEST": "+10:00", "AEDT": "+11:00"},
}
_WHENS = " ".join(
    f"when {literal(zone)} then {literal(offset)}" for zone, offset in _OFFSETS.items()
)
_ZONE = (
    "case when contains(@[TimeZone], '/') then '[' || @[TimeZone] || ']' else "
    f"coalesce(case upper(@[TimeZone]) {_WHENS} end, '[' || @[zone] || ']') end"
)
_COMPLETED = "('completed', 'abgeschlossen', 'terminé', 'completado', 'completata', 'voltooid')"
_NO_PAYMENT = (
    "hold|authori[sz]ation|withdraw|deposit|transfer|conversion|reversal|refund|einbehalt|"
    "autorisierung|abbuchung|einzahlung|umrechnung|rückzahlung|remboursement|virement|reembolso"
)

PAYMENTS = Feed(
    "payments",
    "payments",
    {
        "order_id": "coalesce(@[Invoice Number], @[Custom Number], @[Transaction ID])",
        "provider": "'paypal'",
        "billing_email": "@[From Email Address]",
        "billing_name": "@[Name]",
        "status": "'paid'",
        "amount": "@[Gross]",
        "currency": "@[Currency]",
        "paid_at": f"@[Date] || ' ' || @[Time] || {_ZONE}",
    },
    where="coalesce(@[Gross], '-') not like '-%' "
    f"and lower(@[Status]) in {_COMPLETED} "
    f"and not regexp_matches(lower(coalesce(@[Type], '')), '{_NO_PAYMENT}') "
    "and coalesce(lower(@[Balance Impact]), '') <> 'memo'",
)

EXPORTS = (
    Export(
        "paypal_activity",
        "PayPal activity report",
        required=("Date", "Time", "TimeZone", "Type", "Status", "Gross", "Fee", "Transaction ID"),
        feeds=(PAYMENTS,),
        other_names={
            "Date": ("Datum", "Fecha", "Data"),
            "Time": ("Uhrzeit", "Heure", "Hora", "Ora", "Tijd"),
            "TimeZone": ("Zeitzone", "Fuseau horaire", "Zona horaria", "Fuso orario", "Tijdzone"),
            "Name": ("Nom", "Nombre", "Nome", "Naam"),
            "Type": ("Typ", "Tipo"),
            "Status": ("État", "Estado", "Stato"),
            "Currency": ("Währung", "Devise", "Divisa", "Valuta"),
            "Gross": ("Brutto", "Avant commission", "Bruto", "Lordo"),
            "Fee": ("Gebühr", "Commission", "Tarifa", "Tariffa", "Kosten"),
            "From Email Address": (
                *("Absender E-Mail-Adresse", "De l'adresse email", "Correo del remitente"),
                *("Indirizzo email mittente", "Van e-mailadres"),
            ),
            "Transaction ID": (
                *("Transaktionscode", "Numéro de transaction", "Id. de transacción"),
                *("Codice transazione", "Transactiereferentie"),
            ),
            "Invoice Number": ("Rechnungsnummer", "Numéro de facture", "Número de factura"),
            "Balance Impact": ("Auswirkung auf Guthaben", "Impact sur le solde"),
        },
        point=False,
    ),
)
