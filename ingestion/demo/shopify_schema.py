"""The part of Shopify's GraphQL Admin API, version 2026-07, that the pretend shop serves.

Written by hand from the public documentation: a subset, field for field under Shopify's names, so
that a query which passes here asks for nothing that the real API lacks in this part. It is not
Shopify's own schema file. Descriptions are left out.
"""

from __future__ import annotations

_DISCOUNT = """
  title: String! status: DiscountStatus! startsAt: DateTime! endsAt: DateTime
  createdAt: DateTime! updatedAt: DateTime!
"""
_CODES = """
  usageLimit: Int asyncUsageCount: Int! appliesOncePerCustomer: Boolean! codesCount: Count
  codes(first: Int): DiscountRedeemCodeConnection!
"""
_GETS = "customerGets: DiscountCustomerGets!"
_DISCOUNT_TYPES = "".join(
    f"type Discount{name} {{ {_DISCOUNT} {more} }}\n"
    for name, more in {
        "CodeBasic": _CODES + _GETS,
        "CodeFreeShipping": _CODES,
        "CodeBxgy": _CODES,
        "CodeApp": _CODES,
        "AutomaticBasic": _GETS,
        "AutomaticFreeShipping": "",
        "AutomaticBxgy": "",
        "AutomaticApp": "",
    }.items()
)

SDL = """
scalar DateTime
scalar Decimal
scalar Money
scalar URL
scalar UnsignedInt64

type Query {
  orders(first: Int, after: String, query: String, sortKey: OrderSortKeys = PROCESSED_AT,
    reverse: Boolean = false): OrderConnection!
  customers(first: Int, after: String, query: String, sortKey: CustomerSortKeys = ID, reverse:
    Boolean = false): CustomerConnection!
  products(first: Int, after: String, query: String, sortKey: ProductSortKeys = ID, reverse:
    Boolean = false): ProductConnection!
  ordersCount(query: String, limit: Int = 10000): Count
  customersCount(query: String, limit: Int = 10000): Count
  productsCount(query: String, limit: Int = 10000): Count
  abandonedCheckouts(first: Int, after: String, query: String,
    sortKey: AbandonedCheckoutSortKeys = ID, reverse: Boolean = false): AbandonedCheckoutConnection!
  abandonedCheckoutsCount(query: String, limit: Int = 10000): Count
  discountNodes(first: Int, after: String, query: String, sortKey: DiscountSortKeys = ID,
    reverse: Boolean = false): DiscountNodeConnection!
  discountNodesCount(query: String, limit: Int = 10000): Count
  order(id: ID!): Order
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  shop: Shop!
  currentAppInstallation: AppInstallation!
}
type Mutation {
  bulkOperationRunQuery(query: String!, groupObjects: Boolean = false): BulkOperationRunQueryPayload
}
interface Node { id: ID! }
enum OrderSortKeys { CREATED_AT ID PROCESSED_AT UPDATED_AT }
enum CustomerSortKeys { CREATED_AT ID UPDATED_AT }
enum ProductSortKeys { CREATED_AT ID UPDATED_AT }
enum AbandonedCheckoutSortKeys { CREATED_AT ID }
enum DiscountSortKeys { CREATED_AT ID UPDATED_AT }
enum CountPrecision { AT_LEAST EXACT }
type Count { count: Int! precision: CountPrecision! }
type PageInfo {
  hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String
}
type Shop {
  id: ID! name: String! currencyCode: CurrencyCode! ianaTimezone: String! myshopifyDomain:
  String!
}
type AccessScope { handle: String! description: String! }
type AppInstallation { id: ID! accessScopes: [AccessScope!]! }
enum CurrencyCode { GBP EUR USD SEK }
enum CountryCode { GB IE DE FR US }
type MoneyV2 { amount: Decimal! currencyCode: CurrencyCode! }
type MoneyBag { shopMoney: MoneyV2! presentmentMoney: MoneyV2! }
type Attribute { key: String! value: String }
type MailingAddress {
  firstName: String lastName: String name: String phone: String address1: String address2: String
    city: String zip: String provinceCode: String
  countryCodeV2: CountryCode
}

enum OrderDisplayFinancialStatus { AUTHORIZED EXPIRED PAID PARTIALLY_PAID PARTIALLY_REFUNDED
  PENDING REFUNDED VOIDED }
enum OrderCancelReason { CUSTOMER DECLINED FRAUD INVENTORY OTHER STAFF }
type OrderConnection { edges: [OrderEdge!]! nodes: [Order!]! pageInfo: PageInfo! }
type OrderEdge { cursor: String! node: Order! }
type Order implements Node {
  id: ID! name: String! createdAt: DateTime! processedAt: DateTime! updatedAt: DateTime!
  cancelledAt: DateTime cancelReason: OrderCancelReason test: Boolean!
  displayFinancialStatus: OrderDisplayFinancialStatus
  currencyCode: CurrencyCode! presentmentCurrencyCode: CurrencyCode! taxesIncluded: Boolean!
  email: String phone: String sourceName: String customerAcceptsMarketing: Boolean!
  paymentGatewayNames: [String!]! discountCodes: [String!]! tags: [String!]!
  subtotalPriceSet: MoneyBag totalPriceSet: MoneyBag! totalTaxSet: MoneyBag totalDiscountsSet:
    MoneyBag
  totalShippingPriceSet: MoneyBag! totalRefundedSet: MoneyBag! totalTipReceivedSet: MoneyBag
  customer: Customer billingAddress: MailingAddress shippingAddress: MailingAddress
  customAttributes: [Attribute!]! customerJourneySummary: CustomerJourneySummary retailLocation:
    Location
  transactions(first: Int): [OrderTransaction!]! refunds(first: Int): [Refund!]!
  lineItems(first: Int, after: String): LineItemConnection!
  shippingLines(first: Int, after: String): ShippingLineConnection!
}
type Location implements Node { id: ID! name: String! }
type CustomerJourneySummary { firstVisit: CustomerVisit }
type CustomerVisit { landingPage: URL referrerUrl: URL }
enum OrderTransactionKind { AUTHORIZATION CAPTURE REFUND SALE VOID }
enum OrderTransactionStatus { AWAITING_RESPONSE ERROR FAILURE PENDING SUCCESS UNKNOWN }
type OrderTransaction implements Node {
  id: ID! kind: OrderTransactionKind! status: OrderTransactionStatus! gateway: String
    processedAt: DateTime
  test: Boolean! amountSet: MoneyBag! paymentDetails: PaymentDetails
}
union PaymentDetails = CardPaymentDetails
type CardPaymentDetails {
  company: String bin: String expirationMonth: Int expirationYear: Int number: String name:
    String wallet: String
}
type Refund implements Node {
  id: ID! createdAt: DateTime totalRefundedSet: MoneyBag!
  refundLineItems(first: Int, after: String): RefundLineItemConnection!
  refundShippingLines(first: Int, after: String): RefundShippingLineConnection!
  orderAdjustments(first: Int, after: String): OrderAdjustmentConnection!
  transactions(first: Int, after: String): OrderTransactionConnection!
  duties: [RefundDuty!]
}
type OrderTransactionConnection { nodes: [OrderTransaction!]! pageInfo: PageInfo! }
type RefundDuty { amountSet: MoneyBag! }
enum OrderAdjustmentDiscrepancyReason { FULL_RETURN_BALANCING_ADJUSTMENT PENDING_REFUND_DISCREPANCY
  REFUND_DISCREPANCY }
type OrderAdjustmentConnection { nodes: [OrderAdjustment!]! pageInfo: PageInfo! }
type OrderAdjustment implements Node {
  id: ID! reason: OrderAdjustmentDiscrepancyReason amountSet: MoneyBag! taxAmountSet: MoneyBag!
}
type RefundShippingLineConnection { nodes: [RefundShippingLine!]! pageInfo: PageInfo! }
type RefundShippingLine { subtotalAmountSet: MoneyBag! taxAmountSet: MoneyBag! }
type RefundLineItemConnection { nodes: [RefundLineItem!]! pageInfo: PageInfo! }
type RefundLineItem {
  quantity: Int! subtotalSet: MoneyBag! totalTaxSet: MoneyBag! lineItem: LineItem!
}
type LineItemConnection { edges: [LineItemEdge!]! nodes: [LineItem!]! pageInfo: PageInfo! }
type LineItemEdge { cursor: String! node: LineItem! }
type ShippingLineConnection {
  edges: [ShippingLineEdge!]! nodes: [ShippingLine!]! pageInfo: PageInfo!
}
type ShippingLineEdge { cursor: String! node: ShippingLine! }
type ShippingLine {
  id: ID title: String! discountedPriceSet: MoneyBag! taxLines: [TaxLine!]!
}
type DiscountAllocation { allocatedAmountSet: MoneyBag! }
type TaxLine { title: String! rate: Float priceSet: MoneyBag! }
type LineItem implements Node {
  id: ID! title: String! name: String! sku: String vendor: String quantity: Int!
    currentQuantity: Int!
  isGiftCard: Boolean! product: Product variant: ProductVariant
  originalUnitPriceSet: MoneyBag! totalDiscountSet: MoneyBag! taxLines(first: Int): [TaxLine!]!
  discountAllocations: [DiscountAllocation!]!
}

enum CustomerState { DECLINED DISABLED ENABLED INVITED }
enum CustomerEmailAddressMarketingState { INVALID NOT_SUBSCRIBED PENDING REDACTED SUBSCRIBED
  UNSUBSCRIBED }
enum CustomerSmsMarketingState { NOT_SUBSCRIBED PENDING REDACTED SUBSCRIBED UNSUBSCRIBED }
enum CustomerMarketingOptInLevel { CONFIRMED_OPT_IN SINGLE_OPT_IN UNKNOWN }
type CustomerConnection { edges: [CustomerEdge!]! nodes: [Customer!]! pageInfo: PageInfo! }
type CustomerEdge { cursor: String! node: Customer! }
type Customer implements Node {
  id: ID! firstName: String lastName: String createdAt: DateTime! updatedAt: DateTime!
    numberOfOrders: UnsignedInt64!
  state: CustomerState! verifiedEmail: Boolean! locale: String! tags: [String!]! dataSaleOptOut:
    Boolean!
  defaultEmailAddress: CustomerEmailAddress defaultPhoneNumber: CustomerPhoneNumber
    defaultAddress: MailingAddress
}
type CustomerEmailAddress {
  emailAddress: String! marketingState: CustomerEmailAddressMarketingState!
  marketingOptInLevel: CustomerMarketingOptInLevel marketingUpdatedAt: DateTime
}
type CustomerPhoneNumber {
  phoneNumber: String! marketingState: CustomerSmsMarketingState!
  marketingOptInLevel: CustomerMarketingOptInLevel marketingUpdatedAt: DateTime
}

enum ProductStatus { ACTIVE ARCHIVED DRAFT }
type ProductConnection { edges: [ProductEdge!]! nodes: [Product!]! pageInfo: PageInfo! }
type ProductPriceRangeV2 { minVariantPrice: MoneyV2! maxVariantPrice: MoneyV2! }
type ProductEdge { cursor: String! node: Product! }
type Product implements Node {
  id: ID! title: String! handle: String! vendor: String! productType: String! status:
    ProductStatus! tags: [String!]!
  createdAt: DateTime! updatedAt: DateTime! tracksInventory: Boolean! totalInventory: Int!
  priceRangeV2: ProductPriceRangeV2!
  variants(first: Int, after: String): ProductVariantConnection!
}
type ProductVariantConnection {
  edges: [ProductVariantEdge!]! nodes: [ProductVariant!]! pageInfo: PageInfo!
}
type ProductVariantEdge { cursor: String! node: ProductVariant! }
type ProductVariant implements Node {
  id: ID! sku: String title: String! price: Money! compareAtPrice: Money
  availableForSale: Boolean! inventoryQuantity: Int
  inventoryItem: InventoryItem!
}
type InventoryItem { unitCost: MoneyV2 }

type AbandonedCheckoutConnection {
  edges: [AbandonedCheckoutEdge!]! nodes: [AbandonedCheckout!]! pageInfo: PageInfo!
}
type AbandonedCheckoutEdge { cursor: String! node: AbandonedCheckout! }
type AbandonedCheckout implements Node {
  id: ID! name: String! createdAt: DateTime! updatedAt: DateTime! completedAt: DateTime
  taxesIncluded: Boolean! discountCodes: [String!]! customer: Customer
  customAttributes: [Attribute!]!
  subtotalPriceSet: MoneyBag! totalPriceSet: MoneyBag! totalDiscountSet: MoneyBag!
  lineItems(first: Int, after: String): AbandonedCheckoutLineItemConnection!
}
type AbandonedCheckoutLineItemConnection {
  nodes: [AbandonedCheckoutLineItem!]! pageInfo: PageInfo!
}
type AbandonedCheckoutLineItem implements Node {
  id: ID! title: String sku: String quantity: Int! product: Product
  originalUnitPriceSet: MoneyBag!
}

enum DiscountStatus { ACTIVE EXPIRED SCHEDULED }
type DiscountNodeConnection {
  edges: [DiscountNodeEdge!]! nodes: [DiscountNode!]! pageInfo: PageInfo!
}
type DiscountNodeEdge { cursor: String! node: DiscountNode! }
type DiscountNode implements Node { id: ID! discount: Discount! }
union Discount = DiscountCodeBasic | DiscountCodeFreeShipping | DiscountCodeBxgy | DiscountCodeApp
  | DiscountAutomaticBasic | DiscountAutomaticFreeShipping | DiscountAutomaticBxgy
  | DiscountAutomaticApp
type DiscountRedeemCodeConnection { nodes: [DiscountRedeemCode!]! }
type DiscountRedeemCode { code: String! }
type DiscountCustomerGets { value: DiscountCustomerGetsValue! }
union DiscountCustomerGetsValue = DiscountPercentage | DiscountAmount
type DiscountPercentage { percentage: Float! }
type DiscountAmount { amount: MoneyV2! }

enum BulkOperationStatus { CANCELED CANCELING COMPLETED CREATED EXPIRED FAILED RUNNING }
enum BulkOperationErrorCode { ACCESS_DENIED INTERNAL_SERVER_ERROR TIMEOUT }
type BulkOperation implements Node {
  id: ID! status: BulkOperationStatus! errorCode: BulkOperationErrorCode createdAt: DateTime!
    completedAt: DateTime
  objectCount: UnsignedInt64! rootObjectCount: UnsignedInt64! fileSize: UnsignedInt64 url: URL
    partialDataUrl: URL
}
type BulkOperationUserError { field: [String!] message: String! }
type BulkOperationRunQueryPayload {
  bulkOperation: BulkOperation userErrors: [BulkOperationUserError!]!
}
"""
SDL += _DISCOUNT_TYPES
