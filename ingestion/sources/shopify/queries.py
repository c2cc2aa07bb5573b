"""The GraphQL that the Shopify source sends, version 2026-07.

Belongs here: which fields of each table's objects are asked for. An order looks the same
whether it came through a bulk operation or a page, because both use the same fragments. Does not
belong here: sending anything.
"""

from __future__ import annotations

LINES_PER_ORDER = 10
SHIPPING_LINES_PER_ORDER = 2
REFUND_LINES = 10
REFUND_SHIPPING_LINES = 1
REFUND_ADJUSTMENTS = 2
REFUND_TRANSACTIONS = 2
VARIANTS_PER_PRODUCT = 10
LINES_PER_CHECKOUT = 10
CODES_PER_DISCOUNT = 10

_MONEY = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
_ADDRESS = "{ firstName lastName name phone address1 address2 city zip provinceCode countryCodeV2 }"

LINE = f"""
id title name sku vendor quantity currentQuantity isGiftCard
product {{ id productType }}
originalUnitPriceSet {_MONEY}
totalDiscountSet {_MONEY}
discountAllocations {{ allocatedAmountSet {_MONEY} }}
taxLines {{ title rate priceSet {_MONEY} }}
"""
SHIPPING_LINE = f"title discountedPriceSet {_MONEY} taxLines {{ title rate priceSet {_MONEY} }}"
REFUND_LINE = f"""
quantity
subtotalSet {_MONEY}
totalTaxSet {_MONEY}
lineItem {{ id }}
"""
REFUND_SHIPPING_LINE = f"subtotalAmountSet {_MONEY} taxAmountSet {_MONEY}"
REFUND_ADJUSTMENT = f"reason amountSet {_MONEY} taxAmountSet {_MONEY}"
REFUND_TRANSACTION = f"id kind status amountSet {_MONEY}"
REFUND = f"id createdAt totalRefundedSet {_MONEY} duties {{ amountSet {_MONEY} }}"

ORDER = f"""
id name createdAt processedAt updatedAt cancelledAt cancelReason test displayFinancialStatus
currencyCode presentmentCurrencyCode taxesIncluded email phone sourceName customerAcceptsMarketing
paymentGatewayNames discountCodes tags
subtotalPriceSet {_MONEY}
totalPriceSet {_MONEY}
totalTaxSet {_MONEY}
totalDiscountsSet {_MONEY}
totalShippingPriceSet {_MONEY}
totalRefundedSet {_MONEY}
totalTipReceivedSet {_MONEY}
customer {{
  id firstName lastName defaultEmailAddress {{ emailAddress }} defaultPhoneNumber {{ phoneNumber }}
}}
billingAddress {_ADDRESS}
shippingAddress {_ADDRESS}
customAttributes {{ key value }}
customerJourneySummary {{ firstVisit {{ landingPage referrerUrl }} }}
retailLocation {{ id }}
transactions {{
  id kind status gateway processedAt test amountSet {_MONEY}
  paymentDetails {{ ... on CardPaymentDetails {{
    company bin expirationMonth expirationYear number name wallet
  }} }}
}}
"""
CUSTOMER = f"""
id firstName lastName createdAt updatedAt numberOfOrders state verifiedEmail locale tags
dataSaleOptOut
defaultEmailAddress {{ emailAddress marketingState marketingOptInLevel marketingUpdatedAt }}
defaultPhoneNumber {{ phoneNumber marketingState marketingOptInLevel marketingUpdatedAt }}
defaultAddress {_ADDRESS}
"""
PRODUCT = """
id title handle vendor productType status tags createdAt updatedAt tracksInventory totalInventory
priceRangeV2 { minVariantPrice { amount currencyCode } }
"""
VARIANT = """
id sku title price compareAtPrice availableForSale inventoryQuantity
inventoryItem { unitCost { amount currencyCode } }
"""

CHECKOUT = f"""
id name createdAt updatedAt completedAt taxesIncluded discountCodes
subtotalPriceSet {_MONEY}
totalPriceSet {_MONEY}
totalDiscountSet {_MONEY}
customAttributes {{ key value }}
customer {{
  id firstName lastName defaultEmailAddress {{ emailAddress }} defaultPhoneNumber {{ phoneNumber }}
}}
"""
CHECKOUT_LINE = f"id title sku quantity product {{ id }} originalUnitPriceSet {_MONEY}"

_OF_DISCOUNT = "title status startsAt endsAt createdAt updatedAt"
# A discount may have thousands of codes, one for each person; how many is told, and the first few.
_OF_CODES = f"""
usageLimit asyncUsageCount appliesOncePerCustomer codesCount {{ count }}
codes(first: {CODES_PER_DISCOUNT}) {{ nodes {{ code }} }}
"""
_VALUE = """customerGets { value {
  ... on DiscountPercentage { percentage } ... on DiscountAmount { amount { amount currencyCode } }
} }"""
DISCOUNT = f"""id discount {{
  __typename
  ... on DiscountCodeBasic {{ {_OF_DISCOUNT} {_OF_CODES} {_VALUE} }}
  ... on DiscountCodeFreeShipping {{ {_OF_DISCOUNT} {_OF_CODES} }}
  ... on DiscountCodeBxgy {{ {_OF_DISCOUNT} {_OF_CODES} }}
  ... on DiscountCodeApp {{ {_OF_DISCOUNT} {_OF_CODES} }}
  ... on DiscountAutomaticBasic {{ {_OF_DISCOUNT} {_VALUE} }}
  ... on DiscountAutomaticFreeShipping {{ {_OF_DISCOUNT} }}
  ... on DiscountAutomaticBxgy {{ {_OF_DISCOUNT} }}
  ... on DiscountAutomaticApp {{ {_OF_DISCOUNT} }}
}}"""

_PAGE_INFO = "pageInfo { hasNextPage endCursor }"
_LINES_PAGE = f"lineItems(first: {LINES_PER_ORDER}) {{ nodes {{ {LINE} }} {_PAGE_INFO} }}"
_SHIPPING_PAGE = (
    f"shippingLines(first: {SHIPPING_LINES_PER_ORDER}) "
    f"{{ nodes {{ {SHIPPING_LINE} }} {_PAGE_INFO} }}"
)
_REFUND_PAGES = (
    f"refundLineItems(first: {REFUND_LINES}) {{ nodes {{ {REFUND_LINE} }} {_PAGE_INFO} }} "
    f"refundShippingLines(first: {REFUND_SHIPPING_LINES}) "
    f"{{ nodes {{ {REFUND_SHIPPING_LINE} }} {_PAGE_INFO} }} "
    f"orderAdjustments(first: {REFUND_ADJUSTMENTS}) "
    f"{{ nodes {{ {REFUND_ADJUSTMENT} }} {_PAGE_INFO} }} "
    f"transactions(first: {REFUND_TRANSACTIONS}) "
    f"{{ nodes {{ {REFUND_TRANSACTION} }} {_PAGE_INFO} }}"
)
_VARIANTS_PAGE = f"variants(first: {VARIANTS_PER_PRODUCT}) {{ nodes {{ {VARIANT} }} {_PAGE_INFO} }}"
# Under a name of its own, since lines of an order are another thing.
_ALIASES = {"checkoutLines": "checkoutLines: lineItems"}
_CHECKOUT_LINES_PAGE = (
    f"{_ALIASES['checkoutLines']}(first: {LINES_PER_CHECKOUT}) "
    f"{{ nodes {{ {CHECKOUT_LINE} }} {_PAGE_INFO} }}"
)

_NODES = {
    "orders": f"{ORDER} refunds {{ {REFUND} {_REFUND_PAGES} }} {_LINES_PAGE} {_SHIPPING_PAGE}",
    "customers": CUSTOMER,
    "products": f"{PRODUCT} {_VARIANTS_PAGE}",
    "checkouts": f"{CHECKOUT} {_CHECKOUT_LINES_PAGE}",
    "discounts": DISCOUNT,
}
# What Shopify calls a table's objects, where it is not what we call them.
ROOTS = {"checkouts": "abandonedCheckouts", "discounts": "discountNodes"}
_SORT_KEYS = {"checkouts": "ID"}


def _of_bulk(connection: str, node: str) -> str:
    """A connection in a bulk operation; each of its lines says what it is."""
    return f"{connection} {{ edges {{ node {{ __typename {node} }} }} }}"


# A bulk operation takes no connection inside a list, so refunds come without their lines there.
_BULK_NODES = {
    "orders": f"{ORDER} refunds {{ {REFUND} }} "
    f"{_of_bulk('lineItems', LINE)} {_of_bulk('shippingLines', SHIPPING_LINE)}",
    "customers": CUSTOMER,
    "products": f"{PRODUCT} {_of_bulk('variants', VARIANT)}",
}
# The connections of a table's objects, by the type of what is in them.
INNER = {
    "orders": {"LineItem": "lineItems", "ShippingLine": "shippingLines"},
    "customers": {},
    "products": {"ProductVariant": "variants"},
    "checkouts": {"AbandonedCheckoutLineItem": "checkoutLines"},
    "discounts": {},
}
PAGES_INSIDE = {
    "lineItems": ("Order", LINE),
    "shippingLines": ("Order", SHIPPING_LINE),
    "variants": ("Product", VARIANT),
    "checkoutLines": ("AbandonedCheckout", CHECKOUT_LINE),
    "refundLineItems": ("Refund", REFUND_LINE),
    "refundShippingLines": ("Refund", REFUND_SHIPPING_LINE),
    "orderAdjustments": ("Refund", REFUND_ADJUSTMENT),
    "transactions": ("Refund", REFUND_TRANSACTION),
}
# What a refund tells in pages of their own.
OF_REFUNDS = ("refundLineItems", "refundShippingLines", "orderAdjustments", "transactions")


def root_of(table: str) -> str:
    """What Shopify calls a table's objects."""
    return ROOTS.get(table, table)


def has_bulk(table: str) -> bool:
    """Whether a table's first pull may be a bulk operation."""
    return table in _BULK_NODES


def page_query(table: str) -> str:
    """One page of a table, oldest change first."""
    return f"""
    query Page($first: Int!, $after: String, $query: String!) {{
      {root_of(table)}(
        first: $first, after: $after, query: $query, sortKey: {_SORT_KEYS.get(table, "UPDATED_AT")}
      ) {{
        nodes {{ {_NODES[table]} }}
        {_PAGE_INFO}
      }}
    }}"""


def count_query(table: str) -> str:
    """How many objects a search finds."""
    return f"""
    query Count($query: String!) {{
      {root_of(table)}Count(query: $query, limit: null) {{ count precision }}
    }}"""


def bulk_query(table: str, search: str) -> str:
    """The query that a bulk operation runs."""
    return f'{{ {table}(query: "{search}") {{ edges {{ node {{ {_BULK_NODES[table]} }} }} }} }}'


def inside_query(connection: str) -> str:
    """A further page of a connection inside one object."""
    owner, node = PAGES_INSIDE[connection]
    return f"""
    query Inside($id: ID!, $after: String) {{
      node(id: $id) {{ ... on {owner} {{
        {_ALIASES.get(connection, connection)}(first: 50, after: $after) {{
          nodes {{ {node} }} {_PAGE_INFO}
        }}
      }} }}
    }}"""


REFUNDS_QUERY = f"""
query Refunds($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on Order {{ id refunds {{ {REFUND} {_REFUND_PAGES} }} }} }}
}}"""

START_BULK = """
mutation Start($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id status }
    userErrors { field message }
  }
}"""
POLL_BULK = """
query Poll($id: ID!) {
  node(id: $id) { ... on BulkOperation {
    id status errorCode objectCount rootObjectCount fileSize url
  } }
}"""
SCOPES = "{ currentAppInstallation { accessScopes { handle } } }"
