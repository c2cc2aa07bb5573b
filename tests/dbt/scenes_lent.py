"""Scenes of what whoever is at hand may use: an account at a publisher, an app that is pushed to.

Belongs here: raw rows and nothing else, like in `scenes`. What must come of them stands in
tests/dbt/models/test_identity_lent.py.
"""

from __future__ import annotations

from typing import Any

from tests.dbt.scenes import event, identify
from tests.dbt.world import World


def reading(
    number: int, at: str, device: str, reader: str, login: str | None = None
) -> dict[str, Any]:
    """A page looked at by somebody who is signed in at a publisher."""
    ids = [{"id": reader, "type": "publisher_login", "collection": "users"}]
    context = {"page": {"url": f"https://shop.example/{number}"}, "externalIds": ids}
    return event(number, at, device, login, context=context)


def subscribed(
    number: int, at: str, device: str, token: str, login: str | None = None
) -> dict[str, Any]:
    """Push messages accepted."""
    keys = {"p256dh": "k", "auth": "a"}
    properties = {"endpoint": token, "keys": keys}
    return event(number, at, device, login, "Push Subscribed", properties=properties)


def lent(world: World) -> None:
    """Publishers' accounts and push addresses: of one person, of two, of nobody."""
    world.add(
        "raw_web.events",
        [
            # one reader on two browsers, who signs in at the shop on one of them
            reading(901, "02 09:00", "office-pc", "reader-1"),
            reading(902, "03 09:00", "sofa-pad", "reader-1"),
            event(903, "04 09:00", "sofa-pad", "rea"),
            # one subscription, two people who sign in
            reading(911, "02 09:00", "his-pc", "reader-2", "hal"),
            reading(912, "03 09:00", "her-pc", "reader-2", "hedy"),
            # two people by their full names, neither ever signed in
            identify(
                *(914, "02 08:00", "ivy-pc", None),
                **{"email": "ivy@north.example", "firstName": "Ivy", "lastName": "North"},
            ),
            identify(
                *(915, "02 08:10", "jon-pc", None),
                **{"email": "jon@south.example", "firstName": "Jon", "lastName": "South"},
            ),
            reading(916, "02 09:00", "ivy-pc", "reader-3"),
            reading(917, "03 09:00", "jon-pc", "reader-3"),
            # a browser that forgot its cookie and kept where messages reach it
            subscribed(921, "02 09:00", "before-cookie", "https://push.example/1"),
            subscribed(922, "09 09:00", "after-cookie", "https://push.example/1", "pia"),
            # an app on which two people signed in
            subscribed(931, "02 09:00", "app-q", "https://push.example/2", "quin"),
            subscribed(932, "03 09:00", "app-r", "https://push.example/2", "rob"),
            # nobody behind it is known
            subscribed(941, "02 09:00", "app-s", "https://push.example/3"),
            # a tablet on which two people sign in, and a subscription read on it and elsewhere
            event(961, "02 08:00", "lounge-pad", "sue"),
            event(962, "02 09:00", "lounge-pad", "tom"),
            reading(963, "02 10:00", "lounge-pad", "reader-4"),
            reading(964, "03 10:00", "garden-pad", "reader-4"),
            # a browser of nobody, between the subscriptions of two who are known
            event(971, "02 08:00", "una-pc", "una"),
            reading(972, "02 08:05", "una-pc", "reader-5"),
            event(973, "02 08:00", "vic-pc", "vic"),
            reading(974, "02 08:05", "vic-pc", "reader-6"),
            reading(975, "04 08:00", "train-pad", "reader-5"),
            reading(976, "04 09:00", "train-pad", "reader-6"),
            # no account, and a subscription withdrawn, which ties nothing
            reading(951, "02 09:00", "null-reader-pc", "(not set)"),
            event(
                *(952, "02 09:05", "null-reader-pc", None, "Push Unsubscribed"),
                properties={"endpoint": "https://push.example/4"},
            ),
        ],
    )
