"""What Shopify's fake enforces, and the part of Shopify's schema that it serves.

Belongs here: the table of rules and the SDL, a subset written by hand from the public pages, field
for field under Shopify's names; it is not Shopify's own schema file. Does not belong here: what is
done (`shop`), how it is asked (`app`).
"""

from __future__ import annotations

from orchestration.fakes.rules import Rule, Rules

VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")  # supported; the first one is the oldest
_DOCS = "https://shopify.dev/docs/"
_API = _DOCS + "api/admin-graphql/latest/"
_RATES = _DOCS + "apps/build/apis/graphql-admin/rate-limits"
_TAGS = "https://help.shopify.com/en/manual/shopify-admin/productivity-tools/using-tags"
RULES = Rules((
    Rule("grant", "POST /admin/oauth/access_token", "client_id, client_secret", "those of the app",
         "400 invalid_client", _DOCS + "apps/build/dev-dashboard/get-api-access-tokens"),
    Rule("token", "every call", "header X-Shopify-Access-Token", "a token of the last day",
         "401 unauthorized", _DOCS + "api/usage/authentication"),
    Rule("version", "every call", "version in the address", "2026-01 to 2026-10",
         "200; answered as the oldest, X-Shopify-API-Version says so",
         _DOCS + "api/usage/versioning"),
    Rule("scope", "every call", "scopes of the token", "those of the field", "200 ACCESS_DENIED",
         _DOCS + "api/usage/access-scopes"),
    Rule("schema", "every call", "query", "fields and arguments that there are",
         "200 undefinedField", _API),
    Rule("throttle", "every call", "points in the bucket", 2_000, "200 THROTTLED", _RATES),
    Rule("restore", "every call", "points restored in a second", 100,
         "200; extensions.cost says what is left", _RATES),
    Rule("max_cost", "every call", "points of one query", 1_000, "200 MAX_COST_EXCEEDED", _RATES),
    Rule("page", "customers", "first", 250, "200 BAD_REQUEST",
         _DOCS + "api/usage/pagination-graphql"),
    Rule("inputs", "every call", "entries of a list that is given", 250,
         "200 MAX_INPUT_SIZE_EXCEEDED",
         "https://shopify.dev/changelog/graphql-input-objects-limited-to-250-items"),
    Rule("found", "tagsAdd, tagsRemove", "id", "a customer", "200 userErrors",
         _API + "mutations/tagsAdd"),
    Rule("tag_signs", "tagsAdd", "letters of a tag", 40, "200 userErrors", _TAGS),
    Rule("tag_count", "tagsAdd", "tags of a customer", 250, "200 userErrors", _TAGS),
    Rule("tag_comma", "tagsAdd, tagsRemove", "a comma", "none within a tag",
         "200; it parts two tags",
         _API + "mutations/tagsAdd"),
    Rule("tag_case", "tagsAdd, tagsRemove", "capital letters", "of no meaning",
         "200; the tag that is there stays", _TAGS),
    Rule("fields_at_once", "metafieldsSet", "metafields", 25, "200 userErrors",
         _API + "mutations/metafieldsSet"),
    Rule("fields_atomic", "metafieldsSet", "a metafield that is wrong", "none",
         "200; none of the call is set", _API + "mutations/metafieldsSet"),
    Rule("json_bytes", "metafieldsSet", "bytes of a value of type json", 131_072,
         "200 userErrors", "https://shopify.dev/changelog/reduced-metafield-value-sizes"),
    Rule("delete_absent", "metafieldsDelete", "a metafield that is not there", "each",
         "200; null in its place", _API + "mutations/metafieldsDelete"),
    Rule("email_once", "customerCreate", "email, phone", "of one customer", "200 userErrors",
         _API + "mutations/customerCreate"),
    Rule("email_states", "customerEmailMarketingConsentUpdate", "marketingState",
         "SUBSCRIBED, UNSUBSCRIBED, PENDING", "200 userErrors",
         _API + "mutations/customerEmailMarketingConsentUpdate"),
    Rule("has_email", "customerEmailMarketingConsentUpdate", "the customer's email", "there",
         "200 userErrors", _API + "mutations/customerEmailMarketingConsentUpdate"),
    Rule("has_phone", "customerSmsMarketingConsentUpdate", "the customer's phone", "there",
         "200 userErrors", _API + "mutations/customerSmsMarketingConsentUpdate"),
    Rule("erasure", "customerRequestDataErasure", "the customer", "one",
         "200; queued, done after ten days and more",
         _API + "mutations/customerRequestDataErasure"),
))  # fmt: skip

SDL = """
scalar DateTime
interface Node { id: ID! }
type Query {
  customerByIdentifier(identifier: CustomerIdentifierInput!): Customer
  customers(first: Int, after: String, query: String, sortKey: CustomerSortKeys = ID,
    reverse: Boolean = false): CustomerConnection!
}
input CustomerIdentifierInput { id: ID emailAddress: String phoneNumber: String }
enum CustomerSortKeys { CREATED_AT ID UPDATED_AT }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type CustomerConnection { nodes: [Customer!]! pageInfo: PageInfo! }
type Customer implements Node {
  id: ID! updatedAt: DateTime! tags: [String!]!
  defaultEmailAddress: CustomerEmailAddress defaultPhoneNumber: CustomerPhoneNumber
  metafield(namespace: String, key: String!): Metafield
  metafields(first: Int, namespace: String): MetafieldConnection!
}
type CustomerEmailAddress {
  emailAddress: String! marketingState: CustomerEmailAddressMarketingState!
  marketingUpdatedAt: DateTime
}
type CustomerPhoneNumber {
  phoneNumber: String! marketingState: CustomerSmsMarketingState! marketingUpdatedAt: DateTime
}
enum CustomerEmailAddressMarketingState { INVALID NOT_SUBSCRIBED PENDING SUBSCRIBED UNSUBSCRIBED }
enum CustomerSmsMarketingState {
  NOT_SUBSCRIBED PENDING REDACTED SUBSCRIBED UNSUBSCRIBED
}
enum CustomerEmailMarketingState {
  INVALID NOT_SUBSCRIBED PENDING REDACTED SUBSCRIBED UNSUBSCRIBED
}
enum CustomerMarketingOptInLevel { CONFIRMED_OPT_IN SINGLE_OPT_IN UNKNOWN }
type MetafieldConnection { nodes: [Metafield!]! }
type Metafield { namespace: String! key: String! value: String! type: String! owner: Customer! }

type Mutation {
  tagsAdd(id: ID!, tags: [String!]!): TagsAddPayload
  tagsRemove(id: ID!, tags: [String!]!): TagsRemovePayload
  metafieldsSet(metafields: [MetafieldsSetInput!]!): MetafieldsSetPayload
  metafieldsDelete(metafields: [MetafieldIdentifierInput!]!): MetafieldsDeletePayload
  customerCreate(input: CustomerInput!): CustomerCreatePayload
  customerEmailMarketingConsentUpdate(input: CustomerEmailMarketingConsentUpdateInput!):
    CustomerEmailMarketingConsentUpdatePayload
  customerSmsMarketingConsentUpdate(input: CustomerSmsMarketingConsentUpdateInput!):
    CustomerSmsMarketingConsentUpdatePayload
  customerRequestDataErasure(customerId: ID!): CustomerRequestDataErasurePayload
}
type UserError { field: [String!] message: String! }
type CodedUserError { code: String field: [String!] message: String! elementIndex: Int }
type TagsAddPayload { node: Node userErrors: [UserError!]! }
type TagsRemovePayload { node: Node userErrors: [UserError!]! }
input MetafieldsSetInput {
  ownerId: ID! namespace: String key: String! type: String value: String! compareDigest: String
}
type MetafieldsSetPayload { metafields: [Metafield!] userErrors: [CodedUserError!]! }
input MetafieldIdentifierInput { ownerId: ID! namespace: String! key: String! }
type MetafieldIdentifier { ownerId: ID! namespace: String! key: String! }
type MetafieldsDeletePayload {
  deletedMetafields: [MetafieldIdentifier] userErrors: [UserError!]!
}
input CustomerInput { email: String phone: String }
type CustomerCreatePayload { customer: Customer userErrors: [UserError!]! }
input CustomerEmailMarketingConsentInput {
  marketingState: CustomerEmailMarketingState! marketingOptInLevel: CustomerMarketingOptInLevel
  consentUpdatedAt: DateTime
}
input CustomerEmailMarketingConsentUpdateInput {
  customerId: ID! emailMarketingConsent: CustomerEmailMarketingConsentInput!
}
type CustomerEmailMarketingConsentUpdatePayload {
  customer: Customer userErrors: [CodedUserError!]!
}
input CustomerSmsMarketingConsentInput {
  marketingState: CustomerSmsMarketingState! marketingOptInLevel: CustomerMarketingOptInLevel
  consentUpdatedAt: DateTime
}
input CustomerSmsMarketingConsentUpdateInput {
  customerId: ID! smsMarketingConsent: CustomerSmsMarketingConsentInput!
}
type CustomerSmsMarketingConsentUpdatePayload {
  customer: Customer userErrors: [CodedUserError!]!
}
type CustomerRequestDataErasurePayload { customerId: ID userErrors: [CodedUserError!]! }
"""
