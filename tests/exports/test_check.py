"""`regulars check`: the look agrees with the run, and changes nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ingestion.check import FileLook, InputLook, look_through
from ingestion.config import Settings, Shop
from ingestion.errors import NoInputError, RegularsError
from ingestion.input_folder import open_input, said_of_input
from orchestration.commands.check import check
from orchestration.words.plain_text import PlainConsole
from tests.exports.conftest import SAMPLES, ExportShop

WIDE = PlainConsole(soft_wrap=True, markup=False)
BAD_LINES = (
    "order_id,ordered_at,quantity,unit_price,currency,colour\n"
    "A-1,2025-01-02,1,2.50,GBP,red\n"
    "A-2,2025-03-04,1,9.00,EUR,red\n"
    "A-3,0000-00-00,1,2.50,GBP,red\n"
    "A-4,2025-13-45,1,2.50,GBP,red\n"
    "A-5,2025-01-02,1,2.50,QQQ,red\n"
    'A-6,2025-01-02,1,"2.50,GBP,red\n'
)


def _look(shop: ExportShop) -> InputLook:
    return look_through(open_input(shop.input, shop.settings), shop.settings)


def _file(looked: InputLook, path: str) -> FileLook:
    return next(file for file in looked.files if file.path == path)


def test_it_counts_what_a_run_counts(exports: ExportShop) -> None:
    for sample in SAMPLES.iterdir():
        exports.put(sample.name)
    exports.write("orders/bad.csv", BAD_LINES)
    exports.write("contacts/list.csv", "email,birthday\nann@example.com,0000-00-00\n,\n")
    looked: dict[str, list[int]] = {}
    for file in _look(exports).files:
        for table in file.tables:
            counts = looked.setdefault(table.table, [0, 0, 0])
            counts[0] += table.rows
            counts[1] += table.put_aside
            counts[2] += table.emptied.total()
    ran = {
        name.replace(".", "/"): [count.received, count.quarantined, count.values_emptied]
        for name, count in exports.run(*{table.split("/")[0] for table in looked}).items()
        if count.received
    }
    assert looked == ran
    assert looked["orders/order_lines"][1] == 4


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Asia/Tokyo"])
def test_days_are_the_shops(exports: ExportShop, zone: str) -> None:
    """A day without a time is that day in the shop, in summer too."""
    own = exports.settings.shop.model_copy(update={"timezone": zone})
    shop = exports.settings.model_copy(update={"shop": own})
    exports.write("orders/a.csv", "order_id,ordered_at,quantity,unit_price\nA-1,2026-07-03,1,2\n")
    looked = look_through(open_input(exports.input, shop), shop)
    (look,) = _file(looked, "orders/a.csv").tables
    assert (look.first, look.last) == (date(2026, 7, 3), date(2026, 7, 3))


def test_it_says_what_stands_in_a_file(exports: ExportShop) -> None:
    exports.write("orders/bad.csv", BAD_LINES)
    file = _file(_look(exports), "orders/bad.csv")
    assert file.taken_for == "orders/order_lines by our own layout"
    assert file.used == ("order_id", "ordered_at", "quantity", "unit_price", "currency")
    assert file.unused == ("colour",)
    (look,) = file.tables
    assert (look.rows, look.put_aside) == (6, 4)
    assert (look.first, look.last) == (date(2025, 1, 2), date(2025, 3, 4))
    assert look.currencies == {"GBP", "EUR"}
    found = {
        (each.reason, each.field): (each.rows, each.location, each.example)
        for each in look.problems
    }
    assert found["wrong_type", "ordered_at"] == (2, "orders/bad.csv:4", "9999-99-99")
    assert found["unknown_currency", "currency"] == (1, "orders/bad.csv:6", "xxx")
    assert found["bad_csv_line", ""][:2] == (1, "orders/bad.csv:7")


def test_a_mapping_that_fits_no_file_is_one_sentence_with_file_line_and_column(
    exports: ExportShop,
) -> None:
    exports.write("orders/a.csv", "no,day,n,price\nA,2025-01-01,1,2\n")
    exports.write(
        "orders/mapping.yml",
        "columns:\n  order_id: 'no'\n  ordered_at: Day of sale\n  quantity: n\n"
        "  unit_price: price\n",
    )
    (sentence,) = _look(exports).stops
    assert sentence.startswith(
        "orders/mapping.yml, line 3, names the column 'Day of sale' for columns.ordered_at, which"
        " orders/a.csv does not have; it has: no, day, n, price."
    )


@pytest.mark.parametrize(
    "columns", ["{order_id: 'nr'}", "{order_id: a, ordered_at: b, quantity: c, unit_price: d}"]
)
def test_a_wrong_mapping_keeps_no_export_from_being_looked_at(
    exports: ExportShop, columns: str
) -> None:
    """The one is refused before any file is read, the other at the file that it does not fit."""
    exports.write("orders/a.csv", "no,day,n,price\nA,2025-01-01,1,2\n")
    exports.write("orders/mapping.yml", f"columns: {columns}\n")
    exports.put("woocommerce_orders.csv")
    looked = _look(exports)
    assert len(looked.stops) == 1
    assert _file(looked, "exports/woocommerce_orders.csv").taken_for == "WooCommerce orders export"


def test_a_source_that_would_stop_is_named_with_its_fix(exports: ExportShop) -> None:
    exports.write("contacts/list.csv", "email,created_at\n" + "nobody,x\n" * 6)
    (sentence,) = _look(exports).stops
    assert "not one of the 6 rows of contacts/list.csv can be used" in sentence
    assert "accept" in sentence


def test_nothing_is_changed_and_no_value_is_shown(
    exports: ExportShop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for sample in SAMPLES.iterdir():
        exports.put(sample.name)
    exports.write("orders/bad.csv", BAD_LINES.replace("QQQ", "bob@example.com"))
    exports.write("notes/what.csv", "a,b\n1,2\n")
    monkeypatch.chdir(exports.root)
    before = sorted(exports.root.rglob("*"))
    check(str(exports.input), exports.settings, WIDE, as_json=False)
    assert sorted(exports.root.rglob("*")) == before
    said = capsys.readouterr().out
    assert "Shopify orders export" in said
    assert "like xxx@xxxxxxx.xxx" in said
    assert "nothing that is read" in said
    assert "@example" not in said.lower()


def test_files_alike_stand_together_and_json_has_each(
    exports: ExportShop, capsys: pytest.CaptureFixture[str]
) -> None:
    for day in range(1, 6):
        line = f"A-{day},2025-01-0{day},1,2.50\n"
        exports.write(f"orders/{day}.csv", f"order_id,ordered_at,quantity,unit_price\n{line}")
    check(str(exports.input), exports.settings, WIDE, as_json=False)
    said = capsys.readouterr().out
    assert "orders/1.csv, orders/2.csv, orders/3.csv and 2 more" in said
    assert "5 rows, 0 would be put aside; 2025-01-01 to 2025-01-05" in said
    check(str(exports.input), exports.settings, WIDE, as_json=True)
    assert capsys.readouterr().out.count('"path"') == 5


def test_another_currency_than_the_shops_is_said(
    exports: ExportShop, capsys: pytest.CaptureFixture[str]
) -> None:
    exports.write("orders/a.csv", BAD_LINES.splitlines()[0] + "\nA-1,2025-01-02,1,2,USD,red\n")
    check(str(exports.input), Settings(shop=Shop(currency="SEK")), WIDE, as_json=False)
    assert "The orders are in USD, the settings say SEK" in capsys.readouterr().out


def test_a_folder_of_a_source_may_be_a_link_and_names_with_days_are_shown(
    exports: ExportShop, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = exports.root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "2025-01-02.csv").write_text(BAD_LINES.splitlines()[0] + "\n", "utf-8")
    exports.input.mkdir()
    (exports.input / "orders").symlink_to(elsewhere)
    (elsewhere / "2025-01-03.csv").write_text("\n".join(BAD_LINES.splitlines()[:3]), "utf-8")
    assert exports.run("orders")["orders.order_lines"].loaded == 2
    check(str(exports.input), exports.settings, WIDE, as_json=False)
    assert "orders/2025-01-03.csv" in capsys.readouterr().out


def test_nothing_to_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("nothing", "utf-8")
    with pytest.raises(NoInputError):
        open_input(tmp_path, Settings())


def test_a_typo_in_a_persona_and_an_unknown_occasion_are_told_with_what_to_write(
    exports: ExportShop, capsys: pytest.CaptureFixture[str]
) -> None:
    exports.write("personas/giver.yml", "name: Giver\nwho:\n  - {stage: [purchase]}\nneedz: [x]\n")
    exports.write("calendar.csv", "occasion,starts_on,ends_on\neastre,2026-04-05,2026-04-06\n")
    check(str(exports.input), exports.settings, WIDE, as_json=False)
    said = capsys.readouterr().out
    assert "line 4: needz is no key of a persona here, write needs: first at personas/giver" in said
    assert (
        "unknown_value in occasion: first at calendar.csv:2, like xxxxxx; write new_year," in said
    )


_ANOTHER_ENCODING = "It is UTF-16 or no text: save it as UTF-8."


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
@pytest.mark.parametrize("header", ["email,first_name", "почта", "メール,名前"])
def test_a_file_in_another_encoding_is_named_with_what_to_do(
    exports: ExportShop, capsys: pytest.CaptureFixture[str], encoding: str, header: str
) -> None:
    """Also where it is nobody's, since its header cannot be read either."""
    exports.write("contacts/a.csv", f"{header}\nann@example.com,\n".encode(encoding))
    exports.write("contacts/b.csv", "email\nbob@example.com\n")
    exports.write("shop.csv", f"{header}\nann@example.com,\n".encode(encoding))
    assert check(str(exports.input), exports.settings, WIDE, as_json=False)
    said = capsys.readouterr().out
    assert "1 wrong_encoding in the text (UTF-16 or binary): first at contacts/a.csv; save" in said
    assert f"shop.csv\n  taken for: nothing that is read\n  {_ANOTHER_ENCODING}" in said
    assert exports.run("contacts")["contacts.contacts"].quarantined == 1


def test_a_column_that_stands_twice_says_what_to_do(
    exports: ExportShop, capsys: pytest.CaptureFixture[str]
) -> None:
    exports.write("contacts/a.csv", "email,email\nann@example.com,bob@example.com\n")
    assert not check(str(exports.input), exports.settings, WIDE, as_json=False)
    assert "contacts/a.csv; take one of the two columns away" in capsys.readouterr().out


@pytest.mark.parametrize("header", ["Correo", "E-Mail-Adresse", "Courriel", "電子メール"])
def test_a_list_in_another_language_is_told_of_the_mapping(
    exports: ExportShop, capsys: pytest.CaptureFixture[str], header: str
) -> None:
    """It is not read by its address alone: a refusal may stand in its other columns."""
    exports.write("contacts/a.csv", f"{header},Estado\nann@example.com,baja\n")
    assert not check(str(exports.input), exports.settings, WIDE, as_json=False)
    assert capsys.readouterr().out.count("say in contacts/mapping.yml which column") == 2


WOOCOMMERCE = {
    "one row per order": "order_id,order_number,date,status,order_total,billing_email,line_items",
    "with one row": "order_id,order_date,status,order_total,line_item_1,line_item_2",
    "Analytics": "Date,Order #,N. Revenue (formatted),Status,Customer,Product(s),Items sold",
    "Advanced": "Order Number,Order Status,Order Date,Email (Billing),Item Name,Item Cost",
}


@pytest.mark.parametrize("words", WOOCOMMERCE)
def test_a_woocommerce_export_that_is_not_read_is_named_with_what_to_export(
    exports: ExportShop, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    exports.write("woo.csv", WOOCOMMERCE[words] + "\n")
    with pytest.raises(NoInputError, match=rf"Not read: woo.csv. It looks like .*{words}"):
        open_input(exports.input, exports.settings)
    exports.write("contacts/a.csv", "email\nann@example.com\n")
    assert check(str(exports.input), exports.settings, WIDE, as_json=False)
    said = capsys.readouterr().out
    assert words in said
    assert "mapping.yml" in said
    (of_the_run,) = said_of_input(open_input(exports.input, exports.settings), exports.settings)
    assert of_the_run.startswith("Not read: woo.csv. It looks like")


def test_a_woocommerce_export_with_a_mapping_is_read_without_a_word(exports: ExportShop) -> None:
    exports.write("orders/woo.csv", WOOCOMMERCE["Advanced"] + ",Qty\n")
    exports.write(
        "orders/mapping.yml",
        "columns: {order_id: Order Number, ordered_at: Order Date, quantity: Qty,"
        " unit_price: Item Cost}\n",
    )
    looked = _look(exports)
    assert not looked.stops
    assert not _file(looked, "orders/woo.csv").advice


@pytest.mark.parametrize(
    "header",
    [
        "Email,First Name,Email Marketing Consent,SMS Marketing Consent",
        "E-Mail;Name;Abmeldung am",
        "email,unsubscribed_at",
        "phone,opt-out",
        "address\toptOut",
        "email,Suppression Reason",
        "customer,accepts_marketing",
        "courriel,désabonné",
    ],
)
def test_a_file_that_may_hold_refusals_and_is_read_by_nobody_stops_the_run(
    exports: ExportShop, header: str
) -> None:
    exports.write("contacts/a.csv", "email\nann@example.com\n")
    exports.write("lists/club.csv", f"{header}\n")
    with pytest.raises(RegularsError, match=r"^lists/club.csv may hold refusals") as stopped:
        check(str(exports.input), exports.settings, WIDE, as_json=False)
    assert stopped.value.exit_code == 1
    assert '"lists/club.csv" = "none"' in stopped.value.hint
    with pytest.raises(RegularsError, match="may hold refusals"):
        exports.run("contacts")
    named = exports.settings.model_copy(update={"recognised": {"lists/*": "none"}})
    assert check(str(exports.input), named, WIDE, as_json=False)


@pytest.mark.parametrize(
    "header",
    [
        "campaign,sent,opens,unsubscribes,unsubscribe_rate",
        "sku,title,stock",
        "order,total,marketing_channel",
        "plan,subscription_price",
    ],
)
def test_a_file_without_a_word_of_consent_stops_nothing(exports: ExportShop, header: str) -> None:
    exports.write("contacts/a.csv", "email\nann@example.com\n")
    exports.write("other.csv", f"{header}\n")
    assert check(str(exports.input), exports.settings, WIDE, as_json=False)
