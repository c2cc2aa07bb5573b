"""An order's document without the person whose order it was.

Belongs here: which keys say whose an order is. Does not belong here: other rows, which go whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

# Compared without case and underscores; of an address the country stays, which taxes follow from.
_OF_A_PERSON = frozenset(
    {
        *("email", "contactemail", "phone", "customer", "customerlocale", "userid", "browserip"),
        *("clientdetails", "note", "noteattributes", "customattributes", "properties"),
        *("paymentfingerprint", "paymentdetails", "receipt", "authorization", "landingsite"),
        *("landingsiteref", "referringsite", "customerjourneysummary", "orderstatusurl", "token"),
        *("carttoken", "checkouttoken", "checkoutid", "firstname", "lastname", "company"),
        *("destination", "origin", "sourceidentifier", "sourceurl", "tags", "message"),
        *("reference", "confirmationnumber", "deviceid", "billingname", "recipient"),
    }
)
_ADDRESSES = frozenset({"billingaddress", "shippingaddress", "defaultaddress"})
_COUNTRIES = frozenset({"country", "countrycode", "countrycodev2"})


def without_person(text: str, is_forgotten: Callable[[str], bool]) -> str:
    """The document without what says whose it was.

    Args:
        text: a JSON document.
        is_forgotten: whether a text of it names somebody who is forgotten, wherever it stands.
    """
    return json.dumps(_without(json.loads(text), is_forgotten), ensure_ascii=False)


def _without(value: Any, is_forgotten: Callable[[str], bool]) -> Any:
    if isinstance(value, dict):
        return {
            key: _country(inner) if _plain(key) in _ADDRESSES else _without(inner, is_forgotten)
            for key, inner in value.items()
            if _plain(key) not in _OF_A_PERSON
        }
    if isinstance(value, list):
        return [_without(inner, is_forgotten) for inner in value]
    return "" if isinstance(value, str) and is_forgotten(value) else value


def _country(address: Any) -> Any:
    if not isinstance(address, dict):
        return None
    return {key: inner for key, inner in address.items() if _plain(key) in _COUNTRIES}


def _plain(key: str) -> str:
    return key.replace("_", "").lower()
