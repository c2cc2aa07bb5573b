"""The names under which systems know the pretend shop's people: addresses, phones, cards, devices.

Belongs here: who owns which identifier, and which ones are shared or pass from hand to hand.
Does not belong here: where an identifier is used (purchases, mailing, browsing decide that).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from ingestion.demo import catalogue
from ingestion.demo.calendar import Calendar, Ints
from ingestion.demo.people import Bools, People, Texts
from ingestion.demo.troubles import Troubles

NOBODY = -1
EMAIL_ROLES = ("main", "newsletter", "work", "typo", "office")
MAIN, NEWSLETTER, WORK, TYPO, OFFICE = range(5)
PERSONAL, FAMILY, KIOSK, BOT, INTERNAL = range(5)
DEVICE_ROLES = ("personal", "family", "kiosk", "bot", "internal")
PEOPLE_PER_KIOSK = 5_000
FAR_FUTURE = 1 << 40
_RECYCLE_UNTIL, _RECYCLE_FROM = 0.40, 0.66


@dataclass(frozen=True)
class Identifiers:
    """Columns by person hold row numbers of the lists below; -1 means they have none."""

    # by person
    email: dict[int, Ints]
    phone: Ints
    second_phone: Ints
    phone_from: Ints
    phone_until: Ints
    login: Ints
    second_login: Ints
    loyalty: Texts
    till_number: Texts
    card: Ints
    new_card: Ints
    card_changed: Ints
    family_card: Ints
    first_device: Ints
    device_count: Ints
    cookie_lost: Ints
    family_device: Ints
    # lists
    email_value: Texts
    email_role: Ints
    email_person: Ints
    phone_value: Texts
    login_value: Texts
    card_value: Texts
    device_value: Texts
    device_role: Ints
    device_agent: Ints
    device_gpc: Bools


def make_identifiers(
    rng: np.random.Generator, seed: int, people: People, calendar: Calendar, troubles: Troubles
) -> Identifiers:
    """Give everybody their identifiers, with the troubles at their rates."""
    n = len(people)
    buyer = people.buyer
    email, email_value, email_role, email_person = _emails(rng, people, troubles)
    phone, second_phone, phone_value, phone_from, phone_until = _phones(
        rng, people, calendar, troubles
    )
    has_login = buyer & (rng.random(n) < 0.65)
    login, logins = _number(has_login)
    second_login, seconds = _number(has_login & (rng.random(n) < troubles.double_login), logins)
    has_loyalty = buyer & (rng.random(n) < 0.40)
    card, cards = _number(buyer)
    new_card, cards = _number(buyer & (rng.random(n) < 0.22), cards)
    family_card, cards = _shared_by_family(rng, people, troubles.family_card, cards)
    devices = _devices(rng, people, calendar, troubles)
    ids = (np.arange(n) + people.first_id).tolist()
    card_changed = calendar.draw(rng, calendar.start, calendar.end, n)
    device_gpc = rng.random(len(devices["role"])) < troubles.gpc
    card_value = _hashed("fp_", seed, "card", people.first_id, cards, 16)
    card_value[rng.random(cards) < troubles.hidden_card] = None
    return Identifiers(
        email=email,
        phone=phone,
        second_phone=second_phone,
        phone_from=phone_from,
        phone_until=phone_until,
        login=login,
        second_login=second_login,
        loyalty=np.array(
            [
                f"HP{10_000_000 + i * 7}" if has else None
                for i, has in zip(ids, has_loyalty, strict=True)
            ],
            dtype=object,
        ),
        till_number=np.array(
            [str(40_000 + i * 3) if has else None for i, has in zip(ids, has_loyalty, strict=True)],
            dtype=object,
        ),
        card=card,
        new_card=new_card,
        card_changed=card_changed,
        family_card=family_card,
        email_value=email_value,
        email_role=email_role,
        email_person=email_person,
        phone_value=phone_value,
        login_value=_hashed("u_", seed, "login", people.first_id, seconds, 10),
        card_value=card_value,
        device_value=device_names(seed, people.first_id, len(devices["role"])),
        first_device=devices["first"],
        device_count=devices["count"],
        cookie_lost=devices["lost"],
        family_device=devices["family"],
        device_role=devices["role"],
        device_agent=devices["agent"],
        device_gpc=device_gpc,
    )


def _number(has: Bools, start: int = 0) -> tuple[Ints, int]:
    """Number those who have one, from `start`; also the next free number."""
    numbers = np.where(has, start + np.cumsum(has) - 1, NOBODY).astype(np.int64)
    return numbers, start + int(has.sum())


def _shared_by_family(
    rng: np.random.Generator, people: People, share: float, start: int
) -> tuple[Ints, int]:
    """One number per family that shares a thing, at the rate `share`; -1 for everybody else."""
    is_family = np.bincount(people.household, minlength=len(people)) > 1
    has = is_family & (rng.random(len(is_family)) < share)
    numbers, end = _number(has, start)
    return numbers[people.household], end


def _emails(
    rng: np.random.Generator, people: People, troubles: Troubles
) -> tuple[dict[int, Ints], Texts, Ints, Ints]:
    n = len(people)
    buyer = people.buyer
    has = {
        MAIN: people.known,
        NEWSLETTER: buyer & (rng.random(n) < troubles.dormant_newsletter_address),
        WORK: buyer & (rng.random(n) < troubles.work_address),
        TYPO: buyer & (rng.random(n) < troubles.typo_address),
    }
    pattern = rng.integers(0, 4, n).tolist()
    domain = rng.integers(0, len(catalogue.MAIL_DOMAINS), n).tolist()
    columns: dict[int, Ints] = {}
    values: list[str] = []
    roles: list[Ints] = []
    owners: list[Ints] = []
    for role, owns in has.items():
        columns[role], _ = _number(owns, len(values))
        chosen = np.flatnonzero(owns)
        values += [_address(people, i, role, pattern[i], domain[i]) for i in chosen.tolist()]
        roles.append(np.full(len(chosen), role))
        owners.append(chosen)
    columns[OFFICE], offices = _offices(rng, people, troubles, len(values))
    values += offices
    roles.append(np.full(len(offices), OFFICE))
    owners.append(np.full(len(offices), NOBODY))
    return columns, np.array(values, dtype=object), np.concatenate(roles), np.concatenate(owners)


def _address(people: People, i: int, role: int, pattern: int, domain: int) -> str:
    first, last = people.first_name[i].lower(), people.last_name[i].lower()
    mark = people.first_id + i
    home = catalogue.MAIL_DOMAINS[domain]
    local = (
        f"{first}.{last}{mark}",
        f"{first}{mark}",
        f"{first[0]}{last}.{mark}",
        f"{last}_{first}{mark}",
    )
    if role == NEWSLETTER:
        return f"{first[:3]}{last[:3]}.{mark}@{catalogue.OLD_DOMAINS[mark % 2]}"
    if role == WORK:
        return f"{first}.{last}.{mark}@{catalogue.WORK_DOMAINS[mark % len(catalogue.WORK_DOMAINS)]}"
    if role == TYPO:
        return f"{local[pattern]}@{catalogue.TYPO_DOMAINS[home]}"
    return f"{local[pattern]}@{home}"


def _offices(
    rng: np.random.Generator, people: People, troubles: Troubles, start: int
) -> tuple[Ints, list[str]]:
    """Small groups of buyers who order under one role address."""
    workers = np.flatnonzero(people.buyer & (rng.random(len(people)) < troubles.role_address))
    column = np.full(len(people), NOBODY, dtype=np.int64)
    column[workers] = start + np.arange(len(workers)) // 4
    count = (len(workers) + 3) // 4
    names = catalogue.ROLE_NAMES
    return column, [
        f"{names[k % len(names)]}@office{people.first_id + k}.example.org" for k in range(count)
    ]


def _phones(
    rng: np.random.Generator, people: People, calendar: Calendar, troubles: Troubles
) -> tuple[Ints, Ints, Texts, Ints, Ints]:
    n = len(people)
    has = people.known & (rng.random(n) < 0.78)
    phone, count = _number(has)
    second, _ = _number(has & (rng.random(n) < troubles.second_phone), count)
    since = np.zeros(n, dtype=np.int64)
    until = np.full(n, FAR_FUTURE, dtype=np.int64)
    values = [_phone(people, i, 0) for i in np.flatnonzero(phone >= 0).tolist()]
    values += [_phone(people, i, 1) for i in np.flatnonzero(second >= 0).tolist()]
    # A recycled number: the old owner gives it up, somebody else gets it much later. Both shop
    # in their own time, so that the number is seen with both.
    span = calendar.end - calendar.start
    given_up = calendar.start + int(span * _RECYCLE_UNTIL)
    handed_on = calendar.start + int(span * _RECYCLE_FROM)
    likely = has & people.buyer & (second < 0) & (people.joined < given_up)
    early = rng.permutation(np.flatnonzero(likely & (people.left < handed_on)))
    late = rng.permutation(np.flatnonzero(likely & (people.left >= calendar.end)))
    pairs = min(round(len(people) * troubles.recycled_phone), len(early), len(late))
    old, new = early[:pairs], late[:pairs]
    until[old], since[new] = given_up, handed_on
    phone[new] = phone[old]
    return phone, second, np.array(values, dtype=object), since, until


def _phone(people: People, i: int, position: int) -> str:
    country = int(people.country[i])
    number = 910_000 + (people.first_id + i) * 2 + position
    return f"{catalogue.PHONE_PREFIX[country]}{number:0{catalogue.PHONE_DIGITS}d}"


def _devices(
    rng: np.random.Generator, people: People, calendar: Calendar, troubles: Troubles
) -> dict[str, Ints]:
    """Personal devices first (in the order of people), then family, kiosk, bot and staff ones."""
    n = len(people)
    count = 1 + (rng.random(n) < 0.5) * (people.known) + (rng.random(n) < 0.12) * people.buyer
    lost = people.known & (rng.random(n) < troubles.cookie_reset)
    count = (count + lost).astype(np.int64)
    first = np.cumsum(count) - count
    family, families_end = _shared_by_family(rng, people, troubles.family_device, int(count.sum()))
    families = families_end - int(count.sum())
    kiosks = max(1, round(n / PEOPLE_PER_KIOSK)) if troubles.kiosk_sign_in else 0
    bots = max(2, round(n * troubles.bot)) if troubles.bot else 0
    staff = max(1, round(n * troubles.internal)) if troubles.internal else 0
    personal_agents = rng.choice(5, int(count.sum()), p=[0.34, 0.24, 0.2, 0.16, 0.06])
    sizes = (families, kiosks, bots, staff)
    agents = (catalogue.UA_IPAD, catalogue.UA_KIOSK, catalogue.UA_BOT, 3)
    roles = (FAMILY, KIOSK, BOT, INTERNAL)
    return {
        "count": count,
        "first": first,
        "family": family,
        "lost": np.where(lost, calendar.draw(rng, calendar.start, calendar.end, n), NOBODY),
        "role": np.concatenate(
            [np.full(len(personal_agents), PERSONAL)]
            + [np.full(size, role) for size, role in zip(sizes, roles, strict=True)]
        ),
        "agent": np.concatenate(
            [personal_agents]
            + [np.full(size, agent) for size, agent in zip(sizes, agents, strict=True)]
        ),
    }


def digest(*parts: object) -> str:
    """A stable hex name for something; no secret."""
    return hashlib.md5(":".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def _hashed(prefix: str, seed: int, what: str, first_id: int, n: int, length: int) -> Texts:
    return np.array(
        [prefix + digest(seed, what, first_id, i)[:length] for i in range(n)], dtype=object
    )


def device_names(seed: int, first_id: int, n: int) -> Texts:
    """The anonymous ids of the first `n` devices of a block."""
    hexes = (digest(seed, "device", first_id, i) for i in range(n))
    return np.array(
        [f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}" for h in hexes], dtype=object
    )
