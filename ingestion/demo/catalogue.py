"""What the pretend shop sells and to whom in general: products, names, places, currencies.

Belongs here: fixed lists, all made up. Domains are those reserved for examples, phone numbers start
in the range that Ofcom keeps for drama. Does not belong here: anything random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHOP_DOMAIN = "shop.example.com"
SHOP_URL = f"https://{SHOP_DOMAIN}"
INTERNAL_IP = "192.0.2.10"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_F = _words(
    "Ada Alice Amber Amelia Anna Aisha Beatrix Bella Carla Cara Chloe Clara Daisy Dina Edith "
    "Ella Elsa Emma Esme Eva Fatima Faye Freya Gemma Grace Hana Hazel Heidi Ines Iris Isla "
    "Ivy Jade Jana Joan Julia Kaya Kira Lara Leila Lena Lily Lola Lucy Mabel Maria Maya Mia "
    "Mina Nadia Nell Nina Nora Olive Orla Paula Petra Pia Priya Rhea Rosa Ruby Ruth Sara "
    "Selma Sofia Tara Tess Uma Vera Violet Wanda Yara Zara Zoe"
)
FIRST_M = _words(
    "Aaron Adam Ajay Alan Albert Alex Amir Andre Anton Arlo Axel Ben Bilal Bruno Caleb Carl "
    "Cole Dan Dara David Dean Eddie Eli Emil Eric Ethan Felix Finn Frank Fred George Gus "
    "Hamza Harry Henry Hugo Ian Igor Isaac Ivan Jack Jakob Jan Jay Joel John Jonas Kai Karl "
    "Kit Kofi Lars Leo Liam Louis Luca Luke Marc Max Milo Nico Noah Omar Oscar Otto Paul Ravi "
    "Rex Rory Sam Saul Sean Theo Tim Toby Tom Umar Victor Will"
)
LAST = _words(
    "Abbot Adler Ashby Atwood Bailey Barlow Beck Bell Birch Blake Bond Booth Bright Brook "
    "Byrne Calder Carr Chen Clay Cole Conway Cross Dale Darby Dean Drake Duffy Dunn Eaton "
    "Ellis Farrow Field Fisher Flynn Ford Fox Frost Gale Garner Gibbs Grant Gray Hale Hanna "
    "Hardy Hart Hayes Heath Hill Holt Hope Howe Hume Hunt Ivers Jarvis Jensen Kane Kaur Keane "
    "Kemp Khan Kirk Lamb Lane Larkin Lee Lewin Locke Lowe Lund Lynch Mace Marsh Mason Mead "
    "Miles Moore Moss Nash Noble Nolan North Oakes Olsen Ortiz Owens Page Park Patel Payne "
    "Pike Pope Quinn Rahman Ray Reed Rhodes Rice Rowe Ryan Sadler Shah Shaw Silva Singh Stark "
    "Stone Swift Tait Tate Thorn Todd Vance Vaughn Wade Walsh Ward Webb West Wilde Wolfe Wood "
    "Wren Yates Young Zeller"
)
JOBS = (
    "teacher",
    "nurse",
    "engineer",
    "designer",
    "student",
    "retired",
    "chef",
    "lawyer",
    "driver",
    "",
)

MAIL_DOMAINS = (
    "mail.example.com",
    "post.example.org",
    "inbox.example.net",
    "web.example.com",
    "letters.example.org",
)
OLD_DOMAINS = ("oldmail.example.net", "freemail.example.org")
TYPO_DOMAINS = {
    "mail.example.com": "mial.example.com",
    "post.example.org": "pots.example.org",
    "inbox.example.net": "inbx.example.net",
    "web.example.com": "wbe.example.com",
    "letters.example.org": "leters.example.org",
}
WORK_DOMAINS = tuple(
    f"{name}.example.org" for name in ("acme", "borealis", "corvid", "delta", "elm")
)

COUNTRIES = ("GB", "IE", "DE", "FR", "US")
COUNTRY_SHARE = np.array([0.90, 0.03, 0.03, 0.025, 0.015])
PHONE_PREFIX = ("+44770", "+35385", "+491511", "+3363", "+1555")
PHONE_DIGITS = 7
TIMEZONES = ("Europe/London", "Europe/Dublin", "Europe/Berlin", "Europe/Paris", "America/New_York")
CURRENCIES = ("GBP", "EUR", "USD", "SEK")
COUNTRY_CURRENCY = np.array([0, 1, 1, 1, 2])
PRICE_FACTOR = np.array([1.0, 1.16, 1.30, 13.4])
RATE_TO_GBP = {"EUR": 0.86, "USD": 0.77}
POSTCODE_AREAS = _words("AB BS CF EH EX G GL L LE LS M NE NG NR OX PL S SA SE YO")
ROADS = _words("Mill Church Station Park Quay Orchard Bridge Castle School Hill")
STORES = ("london", "leeds", "bristol", "glasgow")

PLACEHOLDER_EMAIL = "none@none.com"
PLACEHOLDER_PHONES = ("00000000000", "07700900000", "01234567890")
ROLE_NAMES = ("info", "sales", "office", "hello")

# category: (typical price in pence, days until it is used up or 0, product words)
_RANGE: dict[str, tuple[int, int, str]] = {
    "coffee": (
        950,
        28,
        "House Espresso|Morning Filter|Decaf Dark|Single Estate|Barista Blend|Cold Brew|"
        "Half Caff|Festive Roast|Green Beans|Travel Sachets",
    ),
    "tea": (
        650,
        35,
        "Breakfast Leaf|Earl Grey|Green Sencha|Mint Garden|Rooibos|Oolong|Chai Spice|"
        "Camomile|White Peony|Lapsang",
    ),
    "chocolate": (
        480,
        21,
        "Sea Salt Bar|Dark 70|Milk Bar|Praline Box|Orange Thins|Cocoa Powder|Truffles|"
        "Hazelnut Bar|White Bar|Advent Box",
    ),
    "kitchen": (
        2400,
        0,
        "Moka Pot|Pour-over Set|Hand Grinder|Gooseneck Kettle|Milk Jug|Scales|Tea Pot|"
        "Storage Tin|French Press|Knock Box",
    ),
    "tableware": (
        1500,
        0,
        "Stoneware Mug|Espresso Cups|Cake Plate|Cereal Bowl|Serving Board|Linen Napkins|"
        "Water Carafe|Egg Cups|Butter Dish|Salt Cellar",
    ),
    "textiles": (
        2800,
        0,
        "Wool Throw|Tea Towel|Cushion|Apron|Bath Towel|Table Runner|Blanket|Oven Glove|"
        "Bed Linen|Door Mat",
    ),
    "candles": (
        1800,
        60,
        "Cedar Candle|Fig Candle|Sea Air|Beeswax Pair|Tealights|Orange Clove|Lavender|"
        "Pine Forest|Vanilla|Unscented",
    ),
    "bath": (
        900,
        45,
        "Olive Soap|Oat Soap|Hand Cream|Bath Salts|Shampoo Bar|Body Oil|Lip Balm|Face Cloth|"
        "Shaving Soap|Hand Wash",
    ),
    "stationery": (
        1100,
        0,
        "Notebook|Fountain Pen|Letter Set|Wall Calendar|Pencil Box|Sketch Pad|Ink|"
        "Desk Tray|Gift Wrap|Postcards",
    ),
    "garden": (
        1700,
        0,
        "Herb Seeds|Terracotta Pot|Hand Trowel|Watering Can|Twine|Bird Feeder|Gloves|"
        "Plant Labels|Bulb Box|Kneeler",
    ),
    "outdoor": (
        3600,
        0,
        "Enamel Flask|Camp Mug|Picnic Rug|Cool Bag|Lantern|Pocket Knife|Dry Bag|Hammock|"
        "Fire Starter|Folding Stool",
    ),
    "gifts": (
        3200,
        0,
        "Breakfast Hamper|Tea Hamper|Coffee Hamper|Cocoa Set|Birthday Box|New Home Box|"
        "Baker Box|Garden Box|Gift Card|Mystery Box",
    ),
}
CATEGORIES = tuple(_RANGE)
PER_CATEGORY = 10
# Categories whose products go together, place by place: whoever takes one of the first often takes
# its own of the second with it.
COMPLEMENTS = {"coffee": "kitchen", "tea": "tableware", "bath": "textiles"}
COMPLEMENT_CHANCE = 0.4
# Products that last half as long as the catalogue says, and longer: their places in a department.
_LASTS = {2: 0.5, 7: 1.75}
BRANDS = ("Harbour & Pine", "Saltmarsh", "Old Quay", "Fernhill")


@dataclass(frozen=True)
class Product:
    """One thing on the shelf; prices in pence."""

    index: int
    product_id: str
    sku: str
    name: str
    category: str
    brand: str
    price: int
    cost: int
    replenish_after_days: int | None
    substitute_group: str


def complement_of() -> NDArray[np.int64]:
    """For each product the one that goes with it; -1 where none does."""
    partner = np.full(len(CATEGORIES) * PER_CATEGORY, -1, dtype=np.int64)
    places = np.arange(PER_CATEGORY)
    for first, second in COMPLEMENTS.items():
        own, other = (CATEGORIES.index(name) * PER_CATEGORY for name in (first, second))
        partner[own + places] = other + places
    return partner


def real_days() -> NDArray[np.float64]:
    """After how many days each product is used up in truth; 0 where it is not used up."""
    return np.array(
        [
            (product.replenish_after_days or 0) * _LASTS.get(product.index % PER_CATEGORY, 1.0)
            for product in products()
        ]
    )


def substitute_of() -> NDArray[np.int64]:
    """For each product the one of its group that people take where it is out of stock."""
    groups: dict[str, list[int]] = {}
    for product in products():
        groups.setdefault(product.substitute_group, []).append(product.index)
    following = {
        own: group[(position + 1) % len(group)]
        for group in groups.values()
        for position, own in enumerate(group)
    }
    return np.array([following[index] for index in sorted(following)], dtype=np.int64)


def products() -> list[Product]:
    """The shop's whole range, the same for every seed: ten products in each category."""
    made: list[Product] = []
    for category, (price, days, names) in _RANGE.items():
        for position, name in enumerate(names.split("|")):
            index = len(made)
            own_price = (price * (70 + 17 * ((position * 7) % PER_CATEGORY)) // 100) // 5 * 5
            made.append(
                Product(
                    index=index,
                    product_id=str(7_100_000_000_000 + index * 37),
                    sku=f"{category[:3].upper()}-{position + 1:03d}",
                    name=name,
                    category=category,
                    brand=BRANDS[index % len(BRANDS)],
                    price=own_price,
                    cost=own_price * 45 // 100,
                    replenish_after_days=days or None,
                    substitute_group=f"{category}-{position % 3}",
                )
            )
    return made


USER_AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 Version/18.4 "
    "Mobile Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/136.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/136.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_4) AppleWebKit/605.1.15 Version/18.4 "
    "Safari/605.1.15",
    "Mozilla/5.0 (iPad; CPU OS 18_4 like Mac OS X) AppleWebKit/605.1.15 Version/18.4 Mobile "
    "Safari/604.1",
    "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example.com/about)",
    "Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 Chrome/136.0 Safari/537.36 HarbourKiosk/1.2",
)
UA_IPAD, UA_BOT, UA_KIOSK = 4, 5, 6
DEVICE_TYPES = ("mobile", "mobile", "desktop", "desktop", "tablet", "desktop", "tablet")
