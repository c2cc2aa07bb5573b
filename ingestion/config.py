"""The shop's one settings file, `regulars.toml`, read and checked.

Belongs here: the shape of the settings and their defaults. Does not belong here: secrets (settings
name environment variables, never values) and per-run facts such as the date.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ingestion.errors import UsageError, first_problem

CONFIG_NAME = "regulars.toml"
REPOSITORY = Path(__file__).resolve().parent.parent

Channel = Literal["email", "sms", "push", "ads", "onsite"]


class Section(BaseModel):
    """A part of the settings; an unknown key is an error, because a typo must not be silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
Host = Annotated[str, Field(pattern=rf"^{_LABEL}(?:\.{_LABEL})+$")]


class Shop(Section):
    """Who the shop is: its name, days, money, country and web hosts.

    `hosts` (`www.shop.example`, in lower case) are where links in messages may lead.
    """

    name: str = "My shop"
    timezone: str = "Europe/London"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "GBP"
    default_country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "GB"
    hosts: tuple[Host, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("not an IANA time zone such as Europe/London")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The time zone whose calendar days the shop lives by."""
        return ZoneInfo(self.timezone)


class FileSource(Section):
    """A folder of the input that can be switched off."""

    enabled: bool = True


class ApiSource(Section):
    """An API to pull from; off until it has credentials. Secrets by variable name only."""

    enabled: bool = False
    base_url: str
    lateness_hours: Annotated[int, Field(ge=0)] = 72
    start_date: str = "2015-01-01"
    page_size: Annotated[int, Field(ge=1, le=250)] = 100


class Klaviyo(ApiSource):
    """Klaviyo's API (private key)."""

    base_url: str = "https://a.klaviyo.com"
    api_key_env: str = "KLAVIYO_API_KEY"
    revision: str = "2026-07-15"


class Shopify(ApiSource):
    """Shopify's GraphQL Admin API (client credentials)."""

    base_url: str = "https://example.myshopify.com"
    client_id_env: str = "SHOPIFY_CLIENT_ID"
    client_secret_env: str = "SHOPIFY_CLIENT_SECRET"  # noqa: S105 - the variable's name
    api_version: str = "2026-07"
    bulk_backfill: bool = True


class Sources(Section):
    """Every source, by name. Folders are on by default, APIs off.

    A source that the shop adds (a file in ingestion/sources) may have a section here too.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, FileSource]

    web: FileSource = FileSource()
    email: FileSource = FileSource()
    orders: FileSource = FileSource()
    payments: FileSource = FileSource()
    products: FileSource = FileSource()
    promotions: FileSource = FileSource()
    contacts: FileSource = FileSource()
    consents: FileSource = FileSource()
    feedback: FileSource = FileSource()
    spend: FileSource = FileSource()
    rates: FileSource = FileSource()
    identity_rules: FileSource = FileSource()
    klaviyo: Klaviyo = Klaviyo()
    shopify: Shopify = Shopify()

    @model_validator(mode="after")
    def _only_sources_that_exist(self) -> Self:
        known = {file.stem for file in (Path(__file__).parent / "sources").glob("[!_]*")}
        for name in self.__pydantic_extra__ or {}:
            if name not in known:
                raise ValueError(
                    f"`sources.{name}` is no source; known: {', '.join(sorted(known))}"
                )
        return self

    def is_enabled(self, name: str) -> bool:
        """Whether the source is on; a file source without a section is."""
        section = getattr(self, name, FileSource())
        return bool(section.enabled)


# It becomes part of paths and asset names.
DestinationName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]


class Destination(Section):
    """Where audiences may go. `kind` names a module in orchestration/destinations.

    `send` says whether a scheduled run may deliver; by hand it always takes `--send` or `sync`.
    """

    kind: str = "file"
    enabled: bool = True
    send: bool = False
    options: dict[str, Any] = {}


class Segment(Section):
    """The shop's own choices for one segment, over what the model file says."""

    enabled: bool = True
    destinations: list[str] | None = None
    max_shrink: Annotated[float, Field(ge=0, le=1)] | None = None
    max_growth: Annotated[float, Field(ge=0)] | None = None


class Breaker(Section):
    """The size breaker: when a segment's change stops the run (RELIABILITY A11)."""

    max_shrink: Annotated[float, Field(ge=0, le=1)] = 0.20
    max_growth: Annotated[float, Field(ge=0)] = 0.30
    max_removals: Annotated[float, Field(ge=0, le=1)] = 0.10
    min_size: Annotated[int, Field(ge=0)] = 50


class Identity(Section):
    """When a change in who is who is told (the first three) and when it stops the run."""

    max_drift: Annotated[float, Field(ge=0)] = 0.25
    max_changed: Annotated[float, Field(ge=0, le=1)] = 0.02
    min_size: Annotated[int, Field(ge=0)] = 50
    max_person: Annotated[int, Field(ge=1)] = 1000


class Quarantine(Section):
    """When rows that cannot be used stop the run (RELIABILITY B2): see docs/formats.md.

    A source stops above `max_share` and `max_rows` together, above `max_source_share` whatever its
    size, and where a file has no usable row at all; fewer bad rows than `min_rows` stop nothing.
    `accept` names files (`contacts/old.csv`, `orders/2019-*`) that may be bad.
    """

    max_share: Annotated[float, Field(ge=0, le=1)] = 0.02
    max_rows: Annotated[int, Field(ge=0)] = 1000
    max_source_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    min_rows: Annotated[int, Field(ge=1)] = 5
    accept: tuple[str, ...] = ()


class Permission(Section):
    """How far a refusal reaches where the law leaves it to the shop."""

    sms_refusal_ends_everything: bool = True


class Notify(Section):
    """Who hears of a failure; both off by default."""

    webhook_url_env: str = ""
    email_to: str = ""
    smtp_host: str = "localhost"
    smtp_port: int = 25
    email_from: str = "regulars@localhost"


class Schedule(Section):
    """Which schedules run when Dagster's daemon is up."""

    hourly: bool = False
    daily: bool = False
    daily_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "05:00"


class Settings(Section):
    """All of `regulars.toml`."""

    input: str = ""
    shop: Shop = Shop()
    sources: Sources = Sources()
    destinations: dict[DestinationName, Destination] = {}
    segments: dict[str, Segment] = {}
    breaker: Breaker = Breaker()
    identity: Identity = Identity()
    quarantine: Quarantine = Quarantine()
    permission: Permission = Permission()
    notify: Notify = Notify()
    schedule: Schedule = Schedule()
    models: dict[str, Any] = {}

    def dbt_vars(self) -> dict[str, Any]:
        """What dbt is told about the shop: zone, currency, country and model thresholds."""
        return {
            "shop_timezone": self.shop.timezone,
            "shop_currency": self.shop.currency,
            "default_country": self.shop.default_country,
            "shop_hosts": list(self.shop.hosts),
            **self.models,
        }


def reads_a_shop(settings: Settings, asked: str = "") -> bool:
    """Whether a run has an input or an API switched on."""
    apis = settings.sources.klaviyo.enabled or settings.sources.shopify.enabled
    return bool(asked or settings.input or apis)


def config_path(explicit: str | Path | None = None) -> Path:
    """The settings file: the argument, else `REGULARS_CONFIG`, else ./regulars.toml, else ours."""
    if explicit or os.environ.get("REGULARS_CONFIG"):
        return Path(explicit or os.environ["REGULARS_CONFIG"])
    here = Path.cwd() / CONFIG_NAME
    return here if here.exists() else REPOSITORY / CONFIG_NAME


def load_settings(explicit: str | Path | None = None) -> Settings:
    """Read and check the settings.

    Raises:
        UsageError: the file is missing or unreadable, or a key or value is wrong (named).
    """
    path = config_path(explicit)
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(
            f"The settings file {path} cannot be read ({error.strerror}).",
            "Create it from the repository's regulars.toml, or point REGULARS_CONFIG at yours.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}.", "Mend that line.") from error
    except RecursionError as error:
        raise UsageError(f"{path} is nested too deeply.", "Write it flatter.") from error
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        raise UsageError(_first_problem(path, error), "Mend it and run again.") from error


def _first_problem(path: Path, error: ValidationError) -> str:
    problem = error.errors()[0]
    place, what = first_problem(error)
    known = _known_keys(problem["loc"][:-1])
    if problem["type"] == "extra_forbidden":
        return f"{path} has an unknown setting `{place}`; known here: {', '.join(known)}."
    return f"{path}: `{place}` is wrong: {what}."


def _known_keys(place: tuple[int | str, ...]) -> list[str]:
    """The settings that exist in the section at `place`, for the error message."""
    model: type[BaseModel] = Settings
    named: dict[str, type[BaseModel]] = {"destinations": Destination, "segments": Segment}
    for part in place:
        field = model.model_fields.get(str(part))
        annotation = field.annotation if field else None
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
        else:
            model = named.get(str(part), model)
    return sorted(model.model_fields)
