"""The shape of the shop's one settings file, `regulars.toml`.

Belongs here: the sections, their defaults and limits. Does not belong here: reading the file
(settings_file.py), what one source alone is told (its own file in sources/), secrets (settings name
environment variables, never values) and per-run facts such as the date.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ingestion.vocabulary import WEBHOOK_SECRETS

CONFIG_NAME = "regulars.toml"
REPOSITORY = Path(__file__).resolve().parent.parent


class Section(BaseModel):
    """A part of the settings; an unknown key is an error, because a typo must not be silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def gathered(section: Any, name: str, own: Collection[str]) -> Any:
    """A section whose own tables, `[section.NAME]`, stand gathered under `name`.

    Args:
        section: as it was written; what is no table is left to pydantic.
        name: the field that holds them; what already stands there stays.
        own: the names of the section's fields, which are no such tables.
    """
    if not isinstance(section, dict) or not isinstance(section.get(name, {}), dict):
        return section
    tables = {k: v for k, v in section.items() if isinstance(v, dict) and k not in own}
    rest = {key: value for key, value in section.items() if key not in tables}
    tables_of_name = {**rest.pop(name, {}), **tables}
    return {**rest, name: tables_of_name} if tables_of_name else rest


def _known_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("not an IANA time zone such as Europe/London")
    return value


ZoneName = Annotated[str, AfterValidator(_known_zone)]
# It stands before a further shop's numbers and in the names of variables.
ShopName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
# What the shop without a name is called, where something has to be.
MAIN_SHOP_ID = "shop"


def _further_shop(value: str) -> str:
    if value == MAIN_SHOP_ID:
        raise ValueError("is what the shop without a name is called; give a further one another")
    return value


FurtherShop = Annotated[ShopName, AfterValidator(_further_shop)]
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
Host = Annotated[str, Field(pattern=rf"^{_LABEL}(?:\.{_LABEL})+$")]


class Shop(Section):
    """Who the shop is: its name, days, money, country and web hosts.

    `hosts` (`www.shop.example`, in lower case) are where links in messages may lead.
    """

    name: str = "My shop"
    timezone: ZoneName = "Europe/London"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "GBP"
    default_country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "GB"
    hosts: tuple[Host, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The time zone whose calendar days the shop lives by."""
        return ZoneInfo(self.timezone)


class SourceSettings(Section):
    """The section `[sources.NAME]` of a source: a folder of the input is on unless switched off."""

    enabled: bool = True

    @property
    def is_on(self) -> bool:
        """Whether anything of the source is read."""
        return self.enabled


class ApiSettings(SourceSettings):
    """The section of an API to pull from; off until it has credentials.

    Each API source declares its own below this one, in its own file. Keys that end in `_env` name
    the environment variables that hold secrets; a secret itself never stands in the settings.
    """

    enabled: bool = False
    base_url: str
    lateness_hours: Annotated[int, Field(ge=0)] = 72
    start_date: str = "2015-01-01"
    page_size: Annotated[int, Field(ge=1, le=250)] = 100

    @property
    def is_on(self) -> bool:
        """Whether anything of the source is read, from whichever account."""
        return bool(self.accounts())

    def accounts(self) -> dict[str, ApiSettings]:
        """What is pulled, each by its name within the section: the section itself has none."""
        return {"": self} if self.enabled else {}

    def only_with(self, accounts: Mapping[str, str]) -> Self:
        """The section with these further accounts at their addresses, and no others."""
        if accounts:
            raise ValueError("this source has no further accounts")
        return self


OwnSettings = TypeVar("OwnSettings", bound=SourceSettings)


# It becomes part of paths and asset names.
DestinationName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]


class Destination(Section):
    """Where audiences may go. `kind` names a module in orchestration/destinations.

    `send` says whether a scheduled run may deliver; by hand it always takes `--send` or `sync`.
    `channels`: which of a segment's channels it stands for; all that it reaches if left out.
    `messages_on_add`: whoever is added there is contacted by it, as by a flow or a program of the
    shop's own, so that a first activation has a baseline.
    `home`: the id of the only home that may send there (`regulars doctor` says a home's own).
    """

    kind: str = "file"
    channels: list[Literal["email", "sms", "push", "ads", "onsite"]] | None = None
    enabled: bool = True
    send: bool = False
    messages_on_add: bool = False
    home: str = ""
    options: dict[str, Any] = {}


class Segment(Section):
    """The shop's own choices for one segment, over what the model file says."""

    enabled: bool = True
    destinations: list[str] | None = None
    max_shrink: Annotated[float, Field(ge=0, le=1)] | None = None
    max_growth: Annotated[float, Field(ge=0)] | None = None


class Breaker(Section):
    """When a change too large to be true stops the run (RELIABILITY A11, B5).

    `max_empty_rise`: by how much the share of empty values of a source's column may rise.
    """

    max_shrink: Annotated[float, Field(ge=0, le=1)] = 0.20
    max_growth: Annotated[float, Field(ge=0)] = 0.30
    max_removals: Annotated[float, Field(ge=0, le=1)] = 0.10
    min_size: Annotated[int, Field(ge=0)] = 50
    max_empty_rise: Annotated[float, Field(ge=0, le=1)] = 0.20


class Identity(Section):
    """When a change in who is who is told (the first three) and when it stops the run."""

    max_drift: Annotated[float, Field(ge=0)] = 0.25
    max_changed: Annotated[float, Field(ge=0, le=1)] = 0.02
    min_size: Annotated[int, Field(ge=0)] = 50
    max_person: Annotated[int, Field(ge=1)] = 1000


class Quarantine(Section):
    """When rows that cannot be used stop the run (RELIABILITY B2): see docs/formats.md.

    A source stops above `max_share` and `max_rows` together, above `max_source_share` whatever its
    size, and where a file has no usable row at all.
    `accept` names files (`contacts/old.csv`, `orders/2019-*`) that may be bad.
    """

    max_share: Annotated[float, Field(ge=0, le=1)] = 0.02
    max_rows: Annotated[int, Field(ge=0)] = 1000
    max_source_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    accept: tuple[str, ...] = ()


class Degraded(Section):
    """From where on a run that goes on is told as degraded: see docs/delivery.md.

    `quarantine_share`, `quarantine_rows`: of a source's rows of a day, both. `destination_hours`:
    how long nothing may arrive at a destination while rows wait.
    """

    quarantine_share: Annotated[float, Field(ge=0, le=1)] = 0.02
    quarantine_rows: Annotated[int, Field(ge=1)] = 20
    destination_hours: Annotated[int, Field(ge=1)] = 24


class Permission(Section):
    """How far a refusal reaches where the law leaves it to the shop."""

    sms_refusal_ends_everything: bool = True


class Privacy(Section):
    """What people who ask about their data are given.

    `subject_export_days`: how long files stay that hold everything about a person who asked for it.
    `contact`: where people write about their data, as the statement for a customer tells them.
    """

    subject_export_days: Annotated[int, Field(ge=1, le=365)] = 30
    contact: str = ""


class Messages(Section):
    """Text messages and push notices (docs/messages.md).

    `test_recipients`: phone numbers and device ids that a template may be tried on; nobody else
    gets one. `sms_parts`: how many parts a text message may have; each is paid for. `push_days`:
    how long after a browser was last seen its push subscription is believed.
    """

    test_recipients: tuple[str, ...] = ()
    sms_parts: Annotated[int, Field(ge=1, le=10)] = 3
    push_days: Annotated[int, Field(ge=1, le=720)] = 180


class Serve(Section):
    """`regulars serve`: under which address it is reached from outside, such as
    `https://hooks.shop.example`. Twilio signs it, and links to unsubscribe begin with it."""

    url_base: Annotated[str, Field(pattern=r"^(https?://[^/?#\s]+(/[^?#\s]*[^/?#\s])?)?$")] = ""


class Webhook(Section):
    """A sender of webhooks, `[webhooks.NAME]`, at `/webhooks/NAME`.

    `kind` says how it signs and what it sends, and is its name unless given. `secret_env` names the
    environment variable of the secret, where that is not the usual one. `folder` says which folder
    of the input the rows of a sender of Standard Webhooks belong to; without it they are kept and
    not read. `shop` is the further shop that sends.
    """

    kind: str = ""
    secret_env: str = ""
    folder: str = ""
    shop: FurtherShop | Literal[""] = ""

    def kind_of(self, name: str) -> str:
        """What the sender of this name is."""
        return self.kind or name

    def variable(self, name: str) -> str:
        """The environment variable of its secret."""
        return self.secret_env or WEBHOOK_SECRETS[self.kind_of(name)]


class Notify(Section):
    """Who hears of a failure and of what is degraded; both ways off by default."""

    webhook_url_env: str = ""
    email_to: str = ""
    smtp_host: str = "localhost"
    smtp_port: int = 25
    email_from: str = "regulars@localhost"


def _whole_path(value: str) -> str:
    if value and not Path(value).expanduser().is_absolute():
        raise ValueError("not a whole path such as /mnt/backups")
    return value


class Backups(Section):
    """Where backups go that are made by themselves, and how many stay; off without a folder.

    `keep_daily` and `keep_weekly`: of how many of the last days and weeks that have one. The key is
    named by the environment alone.
    """

    folder: Annotated[str, AfterValidator(_whole_path)] = ""
    keep_daily: Annotated[int, Field(ge=1)] = 7
    keep_weekly: Annotated[int, Field(ge=0)] = 4


class Engine(Section):
    """What builds the models, and what it may take: see docs/performance.md, docs/scale.md.

    `memory_limit`: how much memory one DuckDB session may hold, such as `4GB` or `800MB`; the rest
    is put on the disk of the home. Left out: four fifths of the machine's, as DuckDB has it.
    The others are for Spark: `master` is `local[*]`, `local[4]` or `spark://host:port`; `memory` is
    of its process here and of each worker's; `catalogue` is the whole path of the folder where its
    tables lie, which workers see too. Left out: `spark` in the home.
    """

    name: Literal["duckdb", "spark"] = "duckdb"
    memory_limit: Annotated[str, Field(pattern=r"^([1-9][0-9]*(MB|GB))?$")] = ""
    master: Annotated[
        str,
        Field(pattern=r"^(local\[([1-9][0-9]*|\*)\]|spark://[A-Za-z0-9.\-]+:[1-9][0-9]{0,4})$"),
    ] = "local[*]"
    memory: Annotated[str, Field(pattern=r"^[1-9][0-9]*(MB|GB)$")] = "4GB"
    catalogue: Annotated[str, AfterValidator(_whole_path)] = ""

    @property
    def spark_memory(self) -> str:
        """`memory` as Spark writes it."""
        return self.memory[:-1].lower()


class Schedule(Section):
    """Which schedules run when Dagster's daemon is up."""

    hourly: bool = False
    daily: bool = False
    daily_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "05:00"


def _known_senders(webhooks: dict[str, Webhook]) -> dict[str, Webhook]:
    for name, own in webhooks.items():
        kind = own.kind_of(name)
        if kind not in WEBHOOK_SECRETS:
            raise ValueError(f"`{name}` needs a `kind`: {', '.join(WEBHOOK_SECRETS)}")
        if kind == "standard" and not own.secret_env:
            raise ValueError(f"`{name}` needs a `secret_env`")
    return webhooks


class Settings(Section):
    """All of `regulars.toml`.

    `sources` holds the sections that the file has, each in the class its source declares
    (settings_file.py reads them so). `recognised` says which export a file of the input is, by a
    pattern of its path, where the file does not show it; `shop_files` says in the same way which
    further shop a file is of.
    """

    input: str = ""
    shop: Shop = Shop()
    sources: dict[str, SourceSettings] = {}
    recognised: dict[str, str] = {}
    shop_files: dict[str, FurtherShop] = {}
    destinations: dict[DestinationName, Destination] = {}
    segments: dict[str, Segment] = {}
    breaker: Breaker = Breaker()
    identity: Identity = Identity()
    quarantine: Quarantine = Quarantine()
    degraded: Degraded = Degraded()
    permission: Permission = Permission()
    privacy: Privacy = Privacy()
    messages: Messages = Messages()
    notify: Notify = Notify()
    schedule: Schedule = Schedule()
    engine: Engine = Engine()
    serve: Serve = Serve()
    webhooks: Annotated[dict[DestinationName, Webhook], AfterValidator(_known_senders)] = {}
    backup: Backups = Backups()
    models: dict[str, Any] = {}

    @property
    def double_opt_in(self) -> bool:
        """Whether an opt-in needs proof in this shop."""
        return bool(self.models.get("double_opt_in", False))

    def section(self, source: str, kind: type[OwnSettings]) -> OwnSettings:
        """The section of a source, in its own class; that class's defaults where there is none."""
        own_section = self.sources.get(source)
        return kind() if own_section is None else kind.model_validate(own_section)

    def with_sections(self, sections: Mapping[str, SourceSettings]) -> Settings:
        """The same settings with these sources' sections in place of their own."""
        return self.model_copy(update={"sources": {**self.sources, **sections}})

    def built_by(self, engine: str) -> Self:
        """The same with models built by that engine; empty: as they are."""
        if not engine:
            return self
        return self.model_copy(update={"engine": self.engine.model_copy(update={"name": engine})})

    def dbt_vars(self) -> dict[str, Any]:
        """What dbt is told about the shop: zone, currency, country and model thresholds."""
        return {
            "shop_timezone": self.shop.timezone,
            "shop_currency": self.shop.currency,
            "default_country": self.shop.default_country,
            "shop_hosts": list(self.shop.hosts),
            **self.models,
        }
