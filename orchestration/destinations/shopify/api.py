"""Shopify's queries and mutations that the destination makes, and what their answers say.

One document holds as many calls as its cost permits, each under a name of its own. A mutation's
answer says how the customer now is, so a yes that changed nothing is noticed.

Belongs here: documents, pages, what went wrong with which customer. Does not belong here: what a
segment becomes (`destination`), tokens and throttling (`graphql`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ingestion.functions.identifiers import match_email, match_phone
from orchestration.destinations.base import RetryLaterError, cut, vendors_code
from orchestration.destinations.shopify.graphql import GraphqlClient

GID = "gid://shopify/Customer/"
AT_ONCE = 50  # calls of one document: 550 of the 1,000 points that a query may cost
FIELDS_AT_ONCE = 25
PAGE = 100
NOT_APPLIED = "not_applied"  # it said yes, and nothing changed
_INPUTS = {"id": "id", "email": "emailAddress", "phone": "phoneNumber"}
_KNOWN = """id updatedAt tags metafield(namespace: $namespace, key: $key) { value }
    defaultEmailAddress { emailAddress marketingState marketingUpdatedAt }
    defaultPhoneNumber { phoneNumber marketingState marketingUpdatedAt }"""

UNSUBSCRIBED = "UNSUBSCRIBED"

Address = tuple[str, str]  # id, email or phone, and its matching form


class _ConsentCall(NamedTuple):
    """The mutation that changes the consent of a kind of address, and where it is read."""

    name: str
    title: str
    field: str
    read: str


_CONSENT = {
    "email": _ConsentCall(
        "customerEmailMarketingConsentUpdate",
        "CustomerEmailMarketingConsent",
        "emailMarketingConsent",
        "defaultEmailAddress",
    ),
    "phone": _ConsentCall(
        "customerSmsMarketingConsentUpdate",
        "CustomerSmsMarketingConsent",
        "smsMarketingConsent",
        "defaultPhoneNumber",
    ),
}


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether an address may be sent marketing there: Shopify's word, and since when."""

    state: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as they are now. `context` is what our metafield of the segment says."""

    gid: str
    tags: frozenset[str]  # in lower case: Shopify makes no difference
    tag_count: int
    context: Mapping[str, Any] | None
    consents: Mapping[Address, Consent]
    updated: datetime | None


class Api:
    """The calls. `namespace` is that of our metafields."""

    def __init__(self, client: GraphqlClient, namespace: str) -> None:
        """Nothing is reached."""
        self._client = client
        self._namespace = namespace

    @property
    def is_local(self) -> bool:
        """Whether it only speaks to this machine."""
        return self._client.is_local

    def look_up(self, who: Collection[Address], key: str) -> dict[Address, Customer]:
        """The customers of ids and addresses, by these, their own addresses and their id.

        Args:
            who: ids and addresses.
            key: the metafield that is read along.
        """
        known: dict[Address, Customer] = {}
        for chunk in cut(sorted(who), AT_ONCE):
            variables = {
                f"c{number}": {_INPUTS[kind]: f"{GID}{value}" if kind == "id" else value}
                for number, (kind, value) in enumerate(chunk)
            }
            heads = ", ".join(f"${name}: CustomerIdentifierInput!" for name in variables)
            fields = " ".join(
                f"{name}: customerByIdentifier(identifier: ${name}) {{ ...known }}"
                for name in variables
            )
            text = (
                f"query Known({heads}, $namespace: String!, $key: String!) {{ {fields} }}"
                f" fragment known on Customer {{ {_KNOWN} }}"
            )
            data = self._client.query(text, {**variables, **self._field(key)}, may_fail=True)
            for name, asked in zip(variables, chunk, strict=True):
                if data.get(name):
                    customer = _customer(data[name])
                    own = ("id", customer.gid.removeprefix(GID))
                    known |= dict.fromkeys((asked, own, *customer.consents), customer)
        return known

    def search(self, query: str, key: str, *, newest_first: bool = False) -> Iterator[Customer]:
        """The customers that a search finds, in the order of their last change, every page.

        Raises:
            RetryLaterError: Shopify repeats a page, so that the end would never come.
        """
        text = f"""query Found($query: String!, $after: String, $reverse: Boolean!,
            $namespace: String!, $key: String!) {{
          customers(first: {PAGE}, after: $after, query: $query, sortKey: UPDATED_AT,
            reverse: $reverse) {{
            nodes {{ {_KNOWN} }} pageInfo {{ hasNextPage endCursor }}
          }}
        }}"""
        after, seen = None, set[str]()
        while True:
            variables = {
                "query": query,
                "after": after,
                "reverse": newest_first,
                **self._field(key),
            }
            page = self._client.query(text, variables)["customers"]
            yield from map(_customer, page["nodes"])
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]
            if not after or after in seen or not page["nodes"]:
                raise RetryLaterError("repeated_page")
            seen.add(after)

    def tag(self, gids: Collection[str], tag: str) -> dict[str, str]:
        """Add a tag to customers; why single ones do not have it now."""
        return self._tags("tagsAdd", gids, [tag], lambda tags: tag.lower() in tags)

    def untag(self, gids: Collection[str], tags: Sequence[str]) -> dict[str, str]:
        """Remove tags from customers; why single ones still have any."""
        gone = {each.lower() for each in tags}
        return self._tags("tagsRemove", gids, tags, lambda left: not gone & left)

    def set_context(self, values: Mapping[str, str], key: str) -> dict[str, str]:
        """Set our metafield of customers; why single ones do not have it.

        Args:
            values: JSON by customer.
            key: the metafield's.
        """
        wrong: dict[str, str] = {}
        for gids in cut(sorted(values), FIELDS_AT_ONCE):
            left = gids
            while left:  # one that is wrong keeps the others from being set
                reasons = self._set_at_once({gid: values[gid] for gid in left}, key)
                wrong |= reasons
                if not reasons or NOT_APPLIED in reasons.values():
                    break
                left = [gid for gid in left if gid not in reasons]
        return wrong

    def delete_contexts(self, places: Collection[tuple[str, str]]) -> None:
        """Delete metafields of ours: pairs of a customer and a key; an absent one is done.

        Raises:
            RetryLaterError: Shopify did not delete them.
        """
        text = """mutation Forget($fields: [MetafieldIdentifierInput!]!) {
          metafieldsDelete(metafields: $fields) { userErrors { message } }
        }"""
        for chunk in cut(sorted(places), FIELDS_AT_ONCE):
            fields = [
                {"ownerId": gid, "namespace": self._namespace, "key": key} for gid, key in chunk
            ]
            answer = self._client.query(text, {"fields": fields})["metafieldsDelete"]
            if answer["userErrors"]:
                raise RetryLaterError("user_error")

    def context_keys(self, gid: str) -> list[str]:
        """The keys of all our metafields of a customer."""
        text = """query Ours($who: CustomerIdentifierInput!, $namespace: String!) {
          customerByIdentifier(identifier: $who) {
            metafields(first: 250, namespace: $namespace) { nodes { key } }
          }
        }"""
        variables = {"who": {"id": gid}, "namespace": self._namespace}
        customer = self._client.query(text, variables)["customerByIdentifier"]
        return [each["key"] for each in customer["metafields"]["nodes"]] if customer else []

    def create(self, address: Address, key: str) -> Customer | str:
        """Make a customer of an address, who subscribes to nothing; or why there is none."""
        text = f"""mutation Make($input: CustomerInput!, $namespace: String!, $key: String!) {{
          customerCreate(input: $input) {{ customer {{ {_KNOWN} }} userErrors {{ message }} }}
        }}"""
        variables = {"input": {address[0]: address[1]}, **self._field(key)}
        answer = self._client.query(text, variables)["customerCreate"]
        return _customer(answer["customer"]) if answer["customer"] else "not_created"

    def unsubscribe(self, refused: Mapping[Address, tuple[str, datetime]]) -> dict[Address, str]:
        """Set the consent of addresses to UNSUBSCRIBED; why single ones are not.

        Args:
            refused: by address of whom, and since when (UTC).
        """
        wrong: dict[Address, str] = {}
        for chunk in cut(sorted(refused), AT_ONCE):
            variables = {f"c{n}": _consent_input(a, *refused[a]) for n, a in enumerate(chunk)}
            names = [f"c{n}" for n in range(len(chunk))]
            calls = [_CONSENT[kind] for kind, _ in chunk]
            heads = ", ".join(
                f"${name}: {call.title}UpdateInput!"
                for name, call in zip(names, calls, strict=True)
            )
            fields = " ".join(
                f"{name}: {call.name}(input: ${name}) {{ customer {{ {call.read} "
                "{ marketingState } } userErrors { code message } }"
                for name, call in zip(names, calls, strict=True)
            )
            data = self._client.query(f"mutation Stop({heads}) {{ {fields} }}", variables)
            for name, call, address in zip(names, calls, chunk, strict=True):
                answer = data[name]
                held = ((answer["customer"] or {}).get(call.read) or {}).get("marketingState")
                reason = _reason(answer["userErrors"])
                reason = reason or ("" if held == UNSUBSCRIBED else NOT_APPLIED)
                wrong |= {address: reason} if reason else {}
        return wrong

    def request_erasure(self, gid: str) -> str:
        """Have Shopify erase a customer's data; why it will not, if so."""
        text = """mutation Erase($id: ID!) {
          customerRequestDataErasure(customerId: $id) { customerId userErrors { code message } }
        }"""
        answer = self._client.query(text, {"id": gid})["customerRequestDataErasure"]
        return _reason(answer["userErrors"])

    def _field(self, key: str) -> dict[str, str]:
        return {"namespace": self._namespace, "key": key}

    def _tags(
        self, mutation: str, gids: Collection[str], tags: Sequence[str], is_so: Any
    ) -> dict[str, str]:
        wrong: dict[str, str] = {}
        for chunk in cut(sorted(gids), AT_ONCE):
            variables = {f"c{number}": gid for number, gid in enumerate(chunk)}
            heads = ", ".join(f"${name}: ID!" for name in variables)
            fields = " ".join(
                f"{name}: {mutation}(id: ${name}, tags: $tags) {{"
                " node { ... on Customer { tags } } userErrors { message } }"
                for name in variables
            )
            text = f"mutation Tags({heads}, $tags: [String!]!) {{ {fields} }}"
            data = self._client.query(text, {**variables, "tags": list(tags)})
            for name, gid in variables.items():
                answer = data[name]
                held = {each.lower() for each in (answer["node"] or {}).get("tags", ())}
                reason = _reason(answer["userErrors"]) or ("" if is_so(held) else NOT_APPLIED)
                wrong |= {gid: reason} if reason else {}
        return wrong

    def _set_at_once(self, values: Mapping[str, str], key: str) -> dict[str, str]:
        text = """mutation Say($fields: [MetafieldsSetInput!]!) {
          metafieldsSet(metafields: $fields) {
            metafields { value owner { id } } userErrors { code elementIndex message }
          }
        }"""
        order = list(values)
        fields = [
            {"ownerId": gid, "type": "json", "value": values[gid], **self._field(key)}
            for gid in order
        ]
        answer = self._client.query(text, {"fields": fields})["metafieldsSet"]
        wrong: dict[str, str] = {}
        for error in answer["userErrors"]:
            number = error.get("elementIndex")
            named = order if number is None else order[number : number + 1]
            wrong |= dict.fromkeys(named, _reason([error]))
        if wrong:
            return wrong
        held = {each["owner"]["id"]: _context(each["value"]) for each in answer["metafields"] or ()}
        return {gid: NOT_APPLIED for gid in order if held.get(gid) != json.loads(values[gid])}


def moment(text: object) -> datetime | None:
    """A moment of Shopify's, with its zone."""
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _consent_input(address: Address, gid: str, at: datetime) -> dict[str, Any]:
    moment = at.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    consent = {"marketingState": UNSUBSCRIBED, "consentUpdatedAt": moment}
    return {"customerId": gid, _CONSENT[address[0]].field: consent}


def _customer(node: Mapping[str, Any]) -> Customer:
    email, phone = node.get("defaultEmailAddress"), node.get("defaultPhoneNumber")
    pairs = (
        ("email", match_email((email or {}).get("emailAddress")), email),
        ("phone", match_phone((phone or {}).get("phoneNumber"), None), phone),
    )
    consents = {
        (kind, value): Consent(each["marketingState"], moment(each["marketingUpdatedAt"]))
        for kind, value, each in pairs
        if value and each
    }
    tags = [str(tag).lower() for tag in node["tags"]]
    context = _context((node.get("metafield") or {}).get("value"))
    return Customer(
        node["id"], frozenset(tags), len(tags), context, consents, moment(node.get("updatedAt"))
    )


def _context(value: object) -> Mapping[str, Any] | None:
    """Our metafield; something else that stands there is nobody's."""
    if value is None:
        return None
    try:
        context = json.loads(str(value))
    except ValueError:
        context = None
    return context if isinstance(context, dict) else {}


def _reason(errors: Iterable[Mapping[str, Any]]) -> str:
    """The code of the first error of a mutation; its words may repeat what was sent."""
    first = next(iter(errors), None)
    return "" if first is None else vendors_code(str(first.get("code")).lower(), "user_error")
