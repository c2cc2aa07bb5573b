"""`orders/mapping.yml`: which column of a shop's own order lines means what.

Belongs here: the mapping's shape, its checks, and the table declaration that follows from it.
Does not belong here: reading order files.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationError, field_validator, model_validator

from ingestion.config import FurtherShop, ShopName, ZoneName
from ingestion.duckdb import literal
from ingestion.errors import UsageError, first_problem
from ingestion.files.mapping_file import (
    CLEAN_UPS,
    CleanUp,
    Part,
    at_line,
    no_bare_yes_or_no,
    read_mapping_file,
)
from ingestion.landing.currencies import CURRENCIES
from ingestion.landing.fields import (
    ID_SCOPE,
    SEPARATOR,
    SHOP_NAME,
    Column,
    ColumnType,
    RowCheck,
    TableSpec,
)
from ingestion.landing.numbers import NumberForm
from ingestion.sources.orders.expressions import ExpressionError, file_column, file_columns, to_sql

MAPPING_FILE = "orders/mapping.yml"

LineColumn = Literal[
    "order_id",
    "order_name",
    "line_id",
    "ordered_at",
    "customer_ref",
    "email",
    "phone",
    "payment_fingerprint",
    "first_name",
    "last_name",
    "sku",
    "product_name",
    "category",
    "quantity",
    "unit_price",
    "line_amount",
    "discount",
    "shipping",
    "taxes",
    "refunded_amount",
    "currency",
    "country",
    "region",
    "status",
    "cancelled_at",
    "sales_channel",
    "store_id",
    "shop_id",
]
LINE_TYPES: dict[str, ColumnType] = {
    **dict.fromkeys(get_args(LineColumn), "text"),
    **dict.fromkeys(("ordered_at", "cancelled_at"), "timestamp"),
    **dict.fromkeys(
        ("quantity", "line_amount", "discount", "shipping", "taxes", "refunded_amount"), "money"
    ),
    "unit_price": "price",
}
REQUIRED = ("order_id", "ordered_at", "quantity")
# What a line came to: one of the two must be there.
AMOUNTS = ("unit_price", "line_amount")
# Without them a line would be money of another kind, or sold though it was cancelled.
RESTRICTING = ("line_amount", "currency", "cancelled_at")
# Facts of an order, which may stand on one of its lines for all of them. A status or a cancellation
# may be a line's own: it holds for the others only where no line but an order's first ever has one.
ORDER_FACTS: dict[str, Literal["any", "first"]] = {
    **dict.fromkeys(("ordered_at", "currency", "customer_ref", "email", "phone"), "any"),
    **dict.fromkeys(("payment_fingerprint", "first_name", "last_name"), "any"),
    **dict.fromkeys(
        ("country", "region", "sales_channel", "store_id", "shop_id", "order_name"), "any"
    ),
    **dict.fromkeys(("status", "cancelled_at"), "first"),
}


class Returns(Part):
    """Which lines are cancellations or returns (see `expressions.py`)."""

    when: str


class Mapping(Part):
    """The whole file.

    `shop_names`: what the column of `shop_id` calls each shop; no other word may stand there.
    `for_shop`: keys that are different in files of a further shop, by its name.
    """

    columns: dict[LineColumn, Annotated[str, Field(min_length=1)]]
    clean: dict[LineColumn, CleanUp] = Field(default_factory=dict)
    formats: dict[Literal["ordered_at", "cancelled_at"], str] = Field(default_factory=dict)
    returns: Returns | None = None
    currency: str = ""
    timezone: ZoneName = "UTC"
    sales_channel: str = ""
    store_id: str = ""
    shop_id: ShopName | Literal[""] = ""
    shop_names: dict[str, ShopName] = Field(default_factory=dict)
    for_shop: dict[FurtherShop, dict[str, Any]] = Field(default_factory=dict)
    decimal: Literal["", ".", ","] = ""
    thousands: Literal["", ".", ",", "'", " "] = ""

    @property
    def number_form(self) -> NumberForm | None:
        """How numbers are written, where the signs say it."""
        if self.decimal == "," or self.thousands == ".":
            return "comma"
        return "point" if self.decimal == "." or self.thousands == "," else None

    @property
    def file_columns(self) -> list[str]:
        """Headers that `returns.when` names besides our own columns."""
        return file_columns(self.returns.when, LINE_TYPES) if self.returns else []

    @model_validator(mode="after")
    def _two_signs(self) -> Mapping:
        if self.decimal and self.decimal == self.thousands:
            raise ValueError("`decimal` and `thousands` cannot be the same sign")
        return self

    @model_validator(mode="after")
    def _money_of_each_shop(self) -> Mapping:
        """Rows of several shops side by side may be money of several kinds."""
        if "shop_id" in self.columns and not (self.currency or "currency" in self.columns):
            raise ValueError("with a column for `shop_id` must say the currency, or its column")
        if self.shop_names and "shop_id" not in self.columns:
            raise ValueError("`shop_names` needs `columns.shop_id`, whose words it explains")
        return self

    _bare = field_validator("columns", mode="before")(no_bare_yes_or_no)

    @field_validator("columns")
    @classmethod
    def _has_the_needed(cls, value: dict[str, str]) -> dict[str, str]:
        missing = [name for name in REQUIRED if name not in value]
        if not any(name in value for name in AMOUNTS):
            missing.append(" or ".join(AMOUNTS))
        if missing:
            raise ValueError(f"must say where {', '.join(missing)} stands")
        return value

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str) -> str:
        if value and value.upper() not in CURRENCIES:
            raise ValueError("not an ISO 4217 currency such as GBP")
        return value.upper()

    @field_validator("returns")
    @classmethod
    def _readable_rule(cls, value: Returns | None) -> Returns | None:
        if value:
            try:
                to_sql(value.when, LINE_TYPES)
            except ExpressionError as error:
                raise ValueError(f"{value.when!r}: {error}") from error
        return value


def read_mapping(text: str, shop: str = "") -> Mapping:
    """The mapping in `text`, as it holds for files of this further shop.

    Raises:
        UsageError: it is not YAML, or a key or value is wrong (named, with its line).
    """
    mapping = read_mapping_file(text, MAPPING_FILE, Mapping)
    return {name: _for_shop(text, mapping, name) for name in mapping.for_shop}.get(shop, mapping)


def _for_shop(text: str, mapping: Mapping, shop: str) -> Mapping:
    """The mapping with what is this shop's own in the place of what is said for all."""
    settings = mapping.model_dump(exclude_unset=True, exclude={"for_shop"})
    try:
        return Mapping.model_validate({**settings, **mapping.for_shop[shop]})
    except ValidationError as error:
        setting, what = first_problem(error)
        key = ".".join(part for part in ("for_shop", shop, setting) if part)
        raise UsageError(
            f"{MAPPING_FILE}{at_line(text, key)}: `{key}` is wrong: {what}.",
            "Mend it and run again.",
        ) from error


def order_lines(mapping: Mapping, shop_zone: str = "UTC") -> TableSpec:
    """The declaration of `raw_orders.order_lines` under this mapping.

    `shop_zone`: where a day begins that stands without a time, unless the mapping says a zone.
    """
    day_zone = mapping.timezone if "timezone" in mapping.model_fields_set else shop_zone
    rule = to_sql(mapping.returns.when, LINE_TYPES) if mapping.returns else "false"
    return TableSpec(
        name="order_lines",
        description="One row per line of an order, from files with one line per row.",
        columns=(
            *(_column(name, mapping, day_zone) for name in get_args(LineColumn)),
            *(_compared(header) for header in mapping.file_columns),
        ),
        derived=(("is_return", "boolean", rule), ("line_key", "text", _line_key(rule)), ID_SCOPE),
        row_checks=(
            RowCheck("missing_value", "unit_price", "unit_price is null and line_amount is null"),
            RowCheck(
                "unknown_value",
                "shop_id",
                f"not regexp_full_match(trim(shop_id), {literal(SHOP_NAME)})",
            ),
        ),
        numbers=("order_id", "customer_ref"),
        is_mapped=True,
        line_key="line_key",
    )


def _compared(header: str) -> Column:
    """A column of the file that only `returns.when` reads."""
    return Column(
        file_column(header), sources=(header,), stored=False, is_content=True, order_fact="first"
    )


def _line_key(is_return: str) -> str:
    """SQL: which lines are versions of one another where the file has no line ids.

    The order and the goods, sold or taken back. Whatever may be corrected later (the buyer, the
    price, the quantity) is no part of it.
    """
    goods = (
        "coalesce('sku=' || nullif(trim(sku), ''), 'name=' || nullif(trim(product_name), ''), '')"
    )
    side = f"case when ({is_return}) or coalesce(quantity < 0, false) then 'back' else 'sold' end"
    key = f"md5(concat_ws({SEPARATOR}, trim(order_id), {goods}, {side}))"
    return f"case when coalesce(trim(line_id), '') = '' then {key} end"


def _shop_name(text: str, names: dict[str, str]) -> str:
    """SQL: a shop's name here for what the file calls it; another word is left as one that no shop
    can have, for its row to be put aside: it may not fall to whichever shop is the first."""
    written = f"lower(trim({text}))"
    if not names:
        return written
    whens = " ".join(
        f"when {literal(theirs.strip().lower())} then {literal(ours)}"
        for theirs, ours in names.items()
    )
    return f"case {written} {whens} else '?' || {written} end"


def _column(name: LineColumn, mapping: Mapping, day_zone: str) -> Column:
    constants = {
        "currency": mapping.currency,
        "sales_channel": mapping.sales_channel,
        "store_id": mapping.store_id,
        "shop_id": mapping.shop_id,
    }
    source = mapping.columns.get(name)
    clean_up = mapping.clean.get(name)
    formats = {str(column): pattern for column, pattern in mapping.formats.items()}
    is_only_amount = name == "unit_price" and "line_amount" not in mapping.columns
    transform = CLEAN_UPS[clean_up] if clean_up else "{v}"
    if name == "cancelled_at":
        # A date of zeros is how some systems write that nothing was cancelled.
        transform = f"nullif(regexp_replace({transform}, '^[0 :.T-]+$', ''), '')"
    if name == "shop_id":
        transform = _shop_name(transform, mapping.shop_names)
    return Column(
        name,
        LINE_TYPES[name],
        # A column that is not mapped must not be found by chance under its own name.
        sources=(source,) if source else (),
        number_form=mapping.number_form,
        order_fact=ORDER_FACTS.get(name, ""),
        fallback=constants.get(name, "") if source else "",
        constant="" if source else constants.get(name, ""),
        is_absent=source is None,
        required=name in REQUIRED or is_only_amount,
        currency=name == "currency",
        is_token=name == "payment_fingerprint",
        transform=transform,
        restricts=name in RESTRICTING,
        kept_as_written=name == "status",
        zone=mapping.timezone,
        own_day_zone=day_zone,
        pattern=formats.get(name) or formats.get("ordered_at", ""),
    )
