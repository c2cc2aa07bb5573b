"""The customers of the fake shop, and what each call does to them.

Belongs here: the state and its rules. Does not belong here: HTTP, tokens, cost (`app`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from graphql import GraphQLError, GraphQLSchema

from orchestration.fakes.server import Clock
from orchestration.fakes.shopify.rules import RULES

GID = "gid://shopify/Customer/"
_TERM = re.compile(r"(\w+):(>=|<=|>|<)?'([^']*)'")
_SETTABLE = ("SUBSCRIBED", "UNSUBSCRIBED", "PENDING")
Arguments = Mapping[str, Any]


@dataclass
class Consent:
    """Whether an address may be written to, and since when."""

    state: str = "NOT_SUBSCRIBED"
    at: datetime | None = None


@dataclass
class Customer:
    """One customer; `fields` are metafields by namespace and key."""

    number: int
    updated: datetime
    email: str = ""
    phone: str = ""
    tags: list[str] = field(default_factory=list)
    fields: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    email_consent: Consent = field(default_factory=Consent)
    sms_consent: Consent = field(default_factory=Consent)
    is_to_be_erased: bool = False

    @property
    def gid(self) -> str:
        """Its global id."""
        return f"{GID}{self.number}"


class Shop:
    """All customers. While `is_idle`, every mutation says that it was done and does nothing."""

    def __init__(self, clock: Clock) -> None:
        """Nobody."""
        self._clock = clock
        self.customers: dict[str, Customer] = {}
        self.is_idle = False
        self.refused: Counter[str] = Counter()

    def put(self, email: str = "", phone: str = "", **more: Any) -> Customer:
        """A new customer."""
        number = 7_000 + len(self.customers) + 1
        customer = Customer(number, self._clock(), email, phone, **more)
        self.customers[customer.gid] = customer
        return customer

    def by_email(self, email: str) -> Customer | None:
        """The customer of an address."""
        wanted = email.strip().lower()
        matches = (each for each in self.customers.values() if each.email.lower() == wanted)
        return next(matches, None) if wanted else None

    def by_phone(self, phone: str) -> Customer | None:
        """The customer of a number."""
        return next(
            (each for each in self.customers.values() if phone and each.phone == phone), None
        )

    def state(self) -> Mapping[str, Any]:
        """What the shop holds, as counts."""
        people = self.customers.values()
        return {
            "customers": len(people),
            "tags": dict(sorted(Counter(tag for each in people for tag in each.tags).items())),
            "metafields": sum(len(each.fields) for each in people),
            "email": dict(Counter(each.email_consent.state for each in people if each.email)),
            "sms": dict(Counter(each.sms_consent.state for each in people if each.phone)),
            "to_be_erased": sum(each.is_to_be_erased for each in people),
        }

    # Queries --------------------------------------------------------------------------------------

    def find(self, identifier: Arguments) -> Customer | None:
        """The customer that an identifier names."""
        if len(identifier) != 1:
            raise GraphQLError("Give one identifier.", extensions={"code": "BAD_REQUEST"})
        if "id" in identifier:
            return self.customers.get(identifier["id"])
        if "emailAddress" in identifier:
            return self.by_email(identifier["emailAddress"])
        return self.by_phone(identifier["phoneNumber"])

    def page(self, arguments: Arguments) -> dict[str, Any]:
        """One page of a search."""
        first = arguments.get("first")
        if first is None or not 1 <= first <= RULES.number("page"):
            self.refused["page"] += 1
            raise GraphQLError("first is out of range.", extensions={"code": "BAD_REQUEST"})
        customers = [
            each for each in self.customers.values() if _matches(each, arguments.get("query") or "")
        ]
        by_change = arguments.get("sortKey") == "UPDATED_AT"
        customers.sort(key=lambda each: (each.updated if by_change else 0, each.number))
        if arguments.get("reverse"):
            customers.reverse()
        start = int(arguments.get("after") or 0)
        chosen = customers[start : start + first]
        more = start + first < len(customers)
        return {"nodes": chosen, "pageInfo": {"hasNextPage": more, "endCursor": str(start + first)}}

    # Mutations ------------------------------------------------------------------------------------

    def add_tags(self, gid: str, tags: Iterable[str]) -> dict[str, Any]:
        """Add tags; the others stay."""
        customer = self.customers.get(gid)
        if customer is None:
            return self._refuse("found", node=None)
        wanted = list(_parted(tags))
        if any(len(each) > RULES.number("tag_signs") for each in wanted):
            return self._refuse("tag_signs", node=customer)
        known = {each.lower() for each in customer.tags}
        new = [each for each in wanted if each.lower() not in known]
        if len(customer.tags) + len(new) > RULES.number("tag_count"):
            return self._refuse("tag_count", node=customer)
        if new and not self.is_idle:
            customer.tags += new
            customer.updated = self._clock()
        return {"node": customer, "userErrors": []}

    def remove_tags(self, gid: str, tags: Iterable[str]) -> dict[str, Any]:
        """Remove tags; the others stay."""
        customer = self.customers.get(gid)
        if customer is None:
            return self._refuse("found", node=None)
        gone = {each.lower() for each in _parted(tags)}
        if not self.is_idle and any(each.lower() in gone for each in customer.tags):
            customer.tags = [each for each in customer.tags if each.lower() not in gone]
            customer.updated = self._clock()
        return {"node": customer, "userErrors": []}

    def set_fields(self, fields: Sequence[Arguments]) -> dict[str, Any]:
        """Set metafields, all or none."""
        if len(fields) > RULES.number("fields_at_once"):
            return self._refuse("fields_at_once", metafields=None)
        for number, metafield in enumerate(fields):
            if metafield["ownerId"] not in self.customers or not _is_json(metafield):
                return self._refuse("fields_atomic", number, metafields=None)
            if len(metafield["value"].encode()) > RULES.number("json_bytes"):
                return self._refuse("json_bytes", number, metafields=None)
        for metafield in () if self.is_idle else fields:
            customer = self.customers[metafield["ownerId"]]
            customer.fields[metafield["namespace"], metafield["key"]] = (
                metafield["type"],
                metafield["value"],
            )
            customer.updated = self._clock()
        shown = [
            _shown(self.customers[metafield["ownerId"]], (metafield["namespace"], metafield["key"]))
            for metafield in fields
        ]
        return {"metafields": [each for each in shown if each], "userErrors": []}

    def delete_fields(self, fields: Sequence[Arguments]) -> dict[str, Any]:
        """Delete metafields; null in place of each that was not there."""
        deleted: list[Arguments | None] = []
        for metafield in fields:
            owner = self.customers.get(metafield["ownerId"])
            key = (metafield["namespace"], metafield["key"])
            there = owner is not None and key in owner.fields
            if owner and there and not self.is_idle:
                del owner.fields[key]
            deleted.append(metafield if there else None)
        return {"deletedMetafields": deleted, "userErrors": []}

    def create(self, arguments: Arguments) -> dict[str, Any]:
        """A new customer, who has subscribed to nothing."""
        email, phone = arguments.get("email") or "", arguments.get("phone") or ""
        if not (email or phone) or self.by_email(email) or self.by_phone(phone):
            return self._refuse("email_once", customer=None)
        return {"customer": self.put(email, phone), "userErrors": []}

    def consent(self, arguments: Arguments, channel: str) -> dict[str, Any]:
        """Change the consent of an email or a phone number."""
        customer = self.customers.get(arguments["customerId"])
        asked = arguments[f"{channel}MarketingConsent"]
        if asked["marketingState"] not in _SETTABLE:
            return self._refuse("email_states", customer=customer)
        if customer is None or not (customer.email if channel == "email" else customer.phone):
            return self._refuse("has_email" if channel == "email" else "has_phone", customer=None)
        if not self.is_idle:
            consent = customer.email_consent if channel == "email" else customer.sms_consent
            at = asked.get("consentUpdatedAt")
            consent.state = asked["marketingState"]
            consent.at = datetime.fromisoformat(at) if at else self._clock()
            customer.updated = self._clock()
        return {"customer": customer, "userErrors": []}

    def request_erasure(self, gid: str) -> dict[str, Any]:
        """Queue the erasure of a customer."""
        customer = self.customers.get(gid)
        if customer is None:
            return self._refuse("found", customerId=None)
        customer.is_to_be_erased = not self.is_idle
        return {"customerId": gid, "userErrors": []}

    def _refuse(self, rule: str, element: int | None = None, **more: Any) -> dict[str, Any]:
        self.refused[rule] += 1
        error = {"code": "INVALID", "field": None, "message": "Not valid.", "elementIndex": element}
        return {**more, "userErrors": [error]}


def bind(schema: GraphQLSchema, shop: Shop, needs: Callable[[str], None]) -> None:
    """Give the schema its behaviour.

    Args:
        schema: of `rules.SDL`.
        shop: what it is about.
        needs: raises where the token lacks a scope.
    """
    types: Any = schema.type_map

    def act(owner: str, name: str, scope: str, does: Callable[..., Any]) -> None:
        def resolve(_root: Any, _info: Any, **arguments: Any) -> Any:
            needs(scope)
            return does(*arguments.values())

        types[owner].fields[name].resolve = resolve

    def search(_root: Any, _info: Any, **arguments: Any) -> Any:
        needs("read_customers")
        return shop.page(arguments)

    act("Query", "customerByIdentifier", "read_customers", shop.find)
    types["Query"].fields["customers"].resolve = search
    mutations: Mapping[str, Callable[..., Any]] = {
        "tagsAdd": shop.add_tags,
        "tagsRemove": shop.remove_tags,
        "metafieldsSet": shop.set_fields,
        "metafieldsDelete": shop.delete_fields,
        "customerCreate": shop.create,
        "customerEmailMarketingConsentUpdate": lambda arguments: shop.consent(arguments, "email"),
        "customerSmsMarketingConsentUpdate": lambda arguments: shop.consent(arguments, "sms"),
    }
    for name, does in mutations.items():
        act("Mutation", name, "write_customers", does)
    erasure = "customerRequestDataErasure"
    act("Mutation", erasure, "write_customer_data_erasure", shop.request_erasure)
    for name, value in _FIELDS.items():
        types["Customer"].fields[name].resolve = value
    types["Node"].resolve_type = lambda *_: "Customer"


def _field(customer: Customer, _info: Any, key: str, namespace: str = "") -> Any:
    return _shown(customer, (namespace, key))


def _all_fields(customer: Customer, _info: Any, first: int, namespace: str = "") -> Any:
    keys = [key for key in customer.fields if namespace in ("", key[0])]
    return {"nodes": [_shown(customer, key) for key in keys[:first]]}


def _email(customer: Customer, _info: Any) -> Any:
    consent = customer.email_consent
    return _address("emailAddress", customer.email, consent) if customer.email else None


def _phone(customer: Customer, _info: Any) -> Any:
    consent = customer.sms_consent
    return _address("phoneNumber", customer.phone, consent) if customer.phone else None


_FIELDS: Mapping[str, Callable[..., Any]] = {
    "id": lambda customer, _info: customer.gid,
    "updatedAt": lambda customer, _info: customer.updated.isoformat(),
    "metafield": _field,
    "metafields": _all_fields,
    "defaultEmailAddress": _email,
    "defaultPhoneNumber": _phone,
}


def _address(name: str, value: str, consent: Consent) -> dict[str, Any]:
    at = consent.at.isoformat() if consent.at else None
    return {name: value, "marketingState": consent.state, "marketingUpdatedAt": at}


def _shown(customer: Customer, key: tuple[str, str]) -> dict[str, Any] | None:
    held = customer.fields.get(key)
    names = {"namespace": key[0], "key": key[1], "owner": customer}
    return {**names, "type": held[0], "value": held[1]} if held else None


def _is_json(metafield: Arguments) -> bool:
    if metafield.get("type") != "json":
        return False
    try:
        json.loads(metafield["value"])
    except ValueError:
        return False
    return True


def _parted(tags: Iterable[str]) -> Iterator[str]:
    """The tags of a list whose entries may hold several, with commas between them."""
    for text in tags:
        yield from (each.strip() for each in text.split(",") if each.strip())


def _matches(customer: Customer, query: str) -> bool:
    """Whether a customer is found by the terms `tag` and `updated_at`, all of them."""
    for name, comparison, value in _TERM.findall(query):
        if name == "tag":
            if value.lower() not in {each.lower() for each in customer.tags}:
                return False
        elif name == "updated_at" and comparison == ">=":
            if customer.updated < datetime.fromisoformat(value):
                return False
        else:
            raise GraphQLError(f"The fake cannot search by {name}.")
    return True
