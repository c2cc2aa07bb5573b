"""The health of one shop's installation and home, each finding a sentence with what to do.

Belongs here: the list of questions, the installation, settings, credentials and APIs. Does not
belong here: the stores of a home (home_health), repairs (a run heals what it can when it starts)
and the quality of the data (quality, dbt tests).

Secrets are looked for by the name of their environment variable; a value is never read further than
whether it is there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from packaging.requirements import Requirement
from rich.table import Table
from rich.text import Text

from ingestion.config import REPOSITORY, Settings
from ingestion.errors import RegularsError, UsageError
from ingestion.registry import SOURCES, api_sources, databases, is_enabled
from ingestion.sources.sql.settings import NAME as SQL
from ingestion.sources.sql.tables import check as check_databases
from orchestration.activation.reconcile import Drift, Size
from orchestration.activation.sizes import SyncGoesOnError, ask_destinations
from orchestration.destinations import open_destination
from orchestration.destinations.base import CanBeTried, own_words
from orchestration.health import home_health
from orchestration.health.backups import backups
from orchestration.health.home_health import Check
from orchestration.home import lock
from orchestration.home.confinement import FILES, NETWORK, confinable
from orchestration.home.kind import is_demo
from orchestration.home.layout import Home
from orchestration.run.dbt import check_settings
from orchestration.run.engines import on_spark
from orchestration.segments.files import check_segment_files
from orchestration.spark.readiness import look

TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "DAGSTER_DISABLE_TELEMETRY": "1",
}


def diagnose(
    home: Home, settings: Settings, *, connect: bool = False, now: datetime | None = None
) -> list[Check]:
    """Look at everything a run needs.

    Args:
        home: the shop's home; it may not exist yet.
        settings: already valid, or loading them would have failed.
        connect: also ask the APIs whether they accept the credentials, and destinations whom they
            have.
        now: naive UTC, for ages; the clock's unless given.
    """
    moment = now or datetime.now(UTC).replace(tzinfo=None)
    busy = lock.is_busy(home.lock)
    questions: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("python", _python),
        ("packages", _packages),
        ("settings", lambda: _settings(settings)),
        ("engine", lambda: _engine(settings, home)),
        ("home", lambda: home_health.folder(home)),
        ("disk", lambda: home_health.disk(home)),
        ("file modes", lambda: home_health.modes(home)),
        ("stores", lambda: home_health.stores(home, busy)),
        ("last run", lambda: home_health.last_run(home, moment, busy)),
        ("published", lambda: home_health.published(home, moment)),
        ("quarantine", lambda: home_health.quarantine(home, busy)),
        ("permission", lambda: home_health.unknown_words(home)),
        ("permission", lambda: home_health.unread_sources(home, busy)),
        ("complaints", lambda: home_health.complaints(home)),
        ("sources", lambda: _sources(settings, home)),
        ("webhooks", lambda: _webhooks(settings)),
        ("inbox", lambda: home_health.inbox(home)),
        ("destinations", lambda: _destinations(settings, home)),
        ("outbox", lambda: home_health.outbox(home)),
        ("degraded", lambda: home_health.degraded(home, settings, moment)),
        ("intents", lambda: home_health.intents(home, busy)),
        ("refusals", lambda: home_health.untold(home, moment)),
        ("ledger", lambda: home_health.laws(home)),
        ("backup", lambda: backups(home, settings, moment)),
        ("erasures", lambda: home_health.erasures(home, moment)),
        ("telemetry", _telemetry),
        ("sql", _questions),
    ]
    if connect:
        questions.append(("connect", lambda: _connections(settings)))
        questions.append(("connect", lambda: _tries(settings, home)))
        questions.append(("connect", lambda: _holdings(settings, home)))
    return [check for name, question in questions for check in _answers(name, question)]


def exit_code(checks: list[Check]) -> int:
    """1 when something failed, else 0: a warning does not stop anybody."""
    return int(any(check.status == "failed" for check in checks))


def render(checks: list[Check]) -> Table:
    """The findings as a table: status, what, sentence and, where needed, what to do."""
    colours = {"ok": "green", "warning": "yellow", "failed": "bold red"}
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for check in checks:
        words = Text(f"{check.sentence} {check.hint}".strip())
        table.add_row(Text(check.status, style=colours[check.status]), Text(check.name), words)
    return table


def _answers(name: str, question: Callable[[], Iterator[Check]]) -> list[Check]:
    """The findings of one question; a question that fails is itself a finding."""
    try:
        return list(question())
    except RegularsError as error:
        return [Check(name, "failed", error.message, error.hint)]
    except Exception as error:
        # The kind of error only: its text may carry a value.
        return [Check(name, "failed", f"This could not be checked ({type(error).__name__}).")]


def _python() -> Iterator[Check]:
    version_text = ".".join(str(part) for part in sys.version_info[:3])
    if (3, 11) <= sys.version_info < (3, 14):
        yield Check("python", "ok", f"Python {version_text}.")
    else:
        hint = "Make a new environment with `make clean install`."
        yield Check("python", "failed", f"Python {version_text} is not 3.11, 3.12 or 3.13.", hint)


def _packages() -> Iterator[Check]:
    locked = REPOSITORY / "requirements.lock"
    if not locked.exists():
        yield Check("packages", "warning", "There is no requirements.lock to compare with.")
        return
    wrong = differing_packages(locked.read_text("utf-8"))
    if wrong:
        some = ", ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        hint = "Run `make install`."
        yield Check("packages", "failed", f"Not installed as locked: {some}.", hint)
    else:
        yield Check("packages", "ok", "Installed exactly as locked.")


def differing_packages(lock_text: str) -> list[str]:
    """The packages of a lock file that this Python has in another version, or not at all."""
    wrong = []
    for line in lock_text.splitlines():
        if not line or not (line[0].isalnum()):
            continue
        wanted = Requirement(line.rstrip("\\ "))
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        try:
            installed = version(wanted.name)
        except PackageNotFoundError:
            installed = "missing"
        if installed == "missing" or not wanted.specifier.contains(installed, prereleases=True):
            wrong.append(f"{wanted.name} ({installed})")
    return wrong


def _settings(settings: Settings) -> Iterator[Check]:
    check_settings(settings)
    check_segment_files(settings.dbt_vars())
    shop = settings.shop
    sentence = f"{shop.name}: {shop.timezone}, {shop.currency}, {shop.default_country}."
    yield Check("settings", "ok", sentence)


def _engine(settings: Settings, home: Home) -> Iterator[Check]:
    """What builds the models, and what of it is missing here."""
    if not on_spark(settings):
        yield Check("engine", "ok", "DuckDB builds the models.")
        return
    for finding in look(settings.engine, home):
        if finding.problem:
            yield Check(finding.name, "failed", finding.problem.message, finding.problem.hint)
        else:
            yield Check(finding.name, "ok", finding.sentence)


def _sources(settings: Settings, home: Home) -> Iterator[Check]:
    off = [name for name in SOURCES if not is_enabled(name, settings)]
    on = len(SOURCES) - len(off)
    yield Check("sources", "ok", f"{on} on" + (f"; off: {', '.join(off)}." if off else "."))
    for name, source in api_sources().items():
        for account, own in source.own(settings).accounts().items():
            called = f"{name}.{account}" if account else name
            if is_demo(home):
                yield Check(called, "ok", "The pretend shop's own server, which brings its keys.")
            else:
                yield _credentials(called, variables_of(own.model_dump()))
    for name, database in databases(settings).on().items():
        yield _credentials(f"{SQL}.{name}", [database.url_env])


def variables_of(options: Mapping[str, Any]) -> list[str]:
    """The environment variables that settings name: the values of keys that end in `_env`."""
    return [value for key, value in sorted(options.items()) if key.endswith("_env") and value]


def _webhooks(settings: Settings) -> Iterator[Check]:
    """Whether each sender's secret is set, without which all of it is refused."""
    for name, own in settings.webhooks.items():
        yield _credentials(f"webhooks.{name}", [own.variable(name)])


def _credentials(name: str, variables: list[str]) -> Check:
    missing = [variable for variable in variables if not os.environ.get(variable)]
    if missing:
        hint = "Set it in the environment or in .env; never in regulars.toml."
        return Check(name, "failed", f"Not set: {', '.join(missing)}.", hint)
    return Check(name, "ok", f"Set: {', '.join(variables)}." if variables else "Needs no secret.")


def _destinations(settings: Settings, home: Home) -> Iterator[Check]:
    enabled = {n: d for n, d in sorted(settings.destinations.items()) if d.enabled}
    if not enabled:
        hint = "Name one in regulars.toml to deliver audiences."
        yield Check("destinations", "warning", "No destination is on.", hint)
    for name, destination in enabled.items():
        check = _credentials(name, variables_of(destination.options))
        if check.status == "ok":
            try:
                open_destination(name, destination, home)  # reaches nobody before a delivery
            except UsageError as error:
                yield Check(name, "failed", error.message, error.hint)
                continue
        mode = "schedules send" if destination.send else "sends by hand only"
        yield Check(check.name, check.status, f"{check.sentence} Here, {mode}.", check.hint)
    notify = variables_of(settings.notify.model_dump())
    if notify:
        yield _credentials("notify", notify)


def _telemetry() -> Iterator[Check]:
    on = [name for name, off in TELEMETRY.items() if os.environ.get(name, off).lower() != off]
    if on:
        yield Check("telemetry", "failed", f"Switched on by {', '.join(on)}.", "Unset it.")
    else:
        yield Check("telemetry", "ok", "Off in dagster, dbt, dlt and Great Expectations.")


def _questions() -> Iterator[Check]:
    """Whether what answers `regulars sql` can give up the network and all other files."""
    lacking = {FILES: "other files", NETWORK: "the network"}
    held = confinable()
    left = [words for name, words in lacking.items() if name not in held]
    if left:
        yield Check(
            "sql",
            "warning",
            f"Questions of `regulars sql` cannot give up {' and '.join(left)} here: DuckDB's own"
            " locks alone hold.",
            "Use Linux 5.13 or later with Landlock and seccomp, or let analysts work on the masked"
            " copy as another user (docs/masked.md).",
        )
    else:
        yield Check("sql", "ok", "Questions are answered without network and other files.")


def _connections(settings: Settings) -> Iterator[Check]:
    """What each switched-on API says to a small question: key accepted, scopes given."""
    for name, source in api_sources().items():
        own = source.own(settings)
        if not own.is_on:
            yield Check(f"connect {name}", "ok", "Switched off, so not tried.")
            continue
        try:
            answers = source.check(own)
        except RegularsError as error:
            yield Check(f"connect {name}", "failed", error.message, error.hint)
            continue
        for answer in answers:
            yield Check(f"connect {answer.name}", answer.status, answer.sentence, answer.hint)
    for answer in check_databases(databases(settings)):
        yield Check(f"connect {answer.name}", answer.status, answer.sentence, answer.hint)


def _holdings(settings: Settings, home: Home) -> Iterator[Check]:
    """What each destination that can be asked says it has, against the ledger."""
    for asked in ask_destinations(home, settings):
        name, error = asked.destination, asked.error
        if isinstance(error, SyncGoesOnError):
            yield Check(f"connect {name}", "warning", error.message, error.hint)
        elif error:
            yield Check(f"connect {name}", "failed", error.message, error.hint)
        yield from (_holding(name, drift) for drift in asked.drifts)
        yield from (_size(name, size) for size in asked.sizes)


def _tries(settings: Settings, home: Home) -> Iterator[Check]:
    """Whether each destination that can be tried would take somebody; nobody is sent."""
    for name, chosen in sorted(settings.destinations.items()):
        destination = open_destination(name, chosen, home) if chosen.enabled else None
        if not isinstance(destination, CanBeTried):
            continue
        try:
            with own_words(name):
                destination.validate()
        except RegularsError as error:
            yield Check(f"connect {name}", "failed", error.message, error.hint)
        else:
            yield Check(f"connect {name}", "ok", "Would take members; nothing was sent.")


def _size(name: str, size: Size) -> Check:
    """What a destination says that names nobody: no two ways of counting agree."""
    held = "Does not tell how many it has" if size.held is None else f"Tells {size.held:,}"
    sentence = f"{held} of `{size.segment}`; the ledger, {size.known:,}"
    if size.matched_percent is not None:
        sentence += f"; {size.matched_percent} % of those sent were matched"
    if size.known and size.held == 0:
        return Check(
            f"connect {name}",
            "warning",
            f"{sentence}.",
            "Look there whether the audience is the one of the settings.",
        )
    return Check(f"connect {name}", "ok", f"{sentence}.")


def _holding(name: str, drift: Drift) -> Check:
    sentence = f"Has {drift.held:,} of `{drift.segment}`; the ledger, {drift.known:,}"
    if not drift.missing and not drift.surplus:
        return Check(f"connect {name}", "ok", f"{sentence}; the same people.")
    return Check(
        f"connect {name}",
        "failed",
        f"{sentence}: {len(drift.missing):,} are missing and {len(drift.surplus):,} were not sent.",
        f"`regulars sync {drift.segment} {name}` makes it right.",
    )
