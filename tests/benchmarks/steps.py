"""The steps that are measured, each one process: what a run does there and nothing else.

Belongs here: the product's own functions called in the order of a run. Does not belong here:
measuring. Run as a module: `python -m tests.benchmarks.steps STEP --home DIR [--input DIR]`.

A run's facts are kept in the home between steps, because each step is a process of its own. Each
step imports what it needs: nobody's bill holds another's imports.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.config import Settings
from ingestion.settings_file import load_settings
from orchestration.home.layout import Home
from orchestration.home.memory import bound_memory

if TYPE_CHECKING:
    from orchestration.run.run import Run

FACTS = "bench_run.json"
# Defaults, and the host that links in messages may lead to
SETTINGS = """\
[shop]
hosts = ["{host}"]

[destinations.file]
kind = "file"
[destinations.file.options]
format = "csv"
"""
MODELS_ONLY = ("--resource-type", "seed", "--resource-type", "model")
# What resolves identity, up to the three tables that the floor reads; the slips and logins of
# addresses, in the same folder, are the floor's too
IDENTITY = "path:models/intermediate/identity"
RESOLVES_IDENTITY = (
    f"{IDENTITY},+int_raw_identifier_customers",
    f"{IDENTITY},+int_customers",
    f"{IDENTITY}/kept",
)


def pretend_settings(home: Home) -> Settings:
    """The pretend shop's, the same for every step; no settings of this machine's user."""
    from orchestration.home.kind import own_settings

    file = own_settings(home)
    if not file.exists():
        from ingestion.demo.catalogue import SHOP_DOMAIN

        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(SETTINGS.format(host=SHOP_DOMAIN), "utf-8")
    os.environ["REGULARS_CONFIG"] = str(file)
    return load_settings()


def begin(home: Home, settings: Settings, chosen: argparse.Namespace) -> None:
    """Open a run, as the command line does, and remember it for the steps that follow."""
    from orchestration.home import lock
    from orchestration.home.kind import claim
    from orchestration.ops import runs
    from orchestration.ops.store import open_store
    from orchestration.run.run import clear_up, clock, code_version, next_run_id

    # The pretend shop's time stands still while it delivers.
    claim(home, "demo", {"as_of": chosen.as_of.isoformat()})
    with lock.hold(home.lock), open_store(home) as store:
        clear_up(home, store, lambda _text: None)
        run_id = next_run_id(store, chosen.as_of)
        facts = runs.Run(run_id, chosen.as_of, code_version())
        runs.start_run(store, facts, started_at=clock())
    (home.root / FACTS).write_text(
        json.dumps({"run_id": run_id, "as_of": chosen.as_of.isoformat()}), "utf-8"
    )


@contextmanager
def opened(home: Home, settings: Settings, chosen: argparse.Namespace) -> Iterator[Run]:
    """The run that `begin` opened."""
    from orchestration.home import lock
    from orchestration.ops import runs
    from orchestration.ops.store import open_store
    from orchestration.run.run import Run, RunRequest, code_version

    facts = json.loads((home.root / FACTS).read_text("utf-8"))
    as_of = datetime.fromisoformat(facts["as_of"])
    request = RunRequest(as_of, chosen.input or "")
    with lock.hold(home.lock), open_store(home) as store:
        run = runs.Run(facts["run_id"], as_of, code_version())
        yield Run(request, home, settings, store, run, lambda _text: None)


def ingest(home: Home, settings: Settings, chosen: argparse.Namespace) -> None:
    """Every enabled source, files to raw."""
    from ingestion.pipelines import declare_source, run_source
    from ingestion.registry import SOURCES, enabled_sources
    from orchestration.ops import runs

    with opened(home, settings, chosen) as run:
        for name in SOURCES:
            if name not in enabled_sources(settings):
                declare_source(name, run.ingest_context())
                continue
            counts = run_source(name, run.ingest_context())
            rows = [
                runs.SourceCounts(
                    c.source,
                    c.table,
                    c.received,
                    c.loaded,
                    c.quarantined,
                    c.duplicate,
                    c.values_emptied,
                )
                for c in counts
            ]
            runs.record_source_counts(run.store, run.run_id, rows)


def permission(home: Home, settings: Settings, chosen: argparse.Namespace) -> None:
    """Consent facts into ops, ops out as Parquet."""
    from orchestration.ops.export import export_ops
    from orchestration.ops.permission.consent_facts import record_consent_facts
    from orchestration.run.shop_currency import refuse_another_currency

    with opened(home, settings, chosen) as run:
        record_consent_facts(
            run.store,
            home.raw,
            as_of=run.as_of,
            default_country=settings.shop.default_country,
            sms_refusal_ends_everything=settings.permission.sms_refusal_ends_everything,
        )
        refuse_another_currency(home.raw, settings)
        export_ops(run.store, home.ops_export, run.facts)


def _dbt(home: Home, settings: Settings, *command: str) -> None:
    from orchestration.run.dbt import (
        DBT_PROJECT,
        dbt_executable,
        target_path,
        vars_argument,
    )

    arguments = [
        *(dbt_executable(), "--quiet", *command),
        *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
        *("--target-path", str(target_path(home)), "--log-path", str(home.dbt / "logs")),
        *vars_argument(settings),
    ]
    subprocess.run(arguments, check=True, env={**os.environ, "REGULARS_HOME": str(home.root)})


def parse(home: Home, settings: Settings, chosen: argparse.Namespace) -> None:
    """dbt reads its project once; later steps reuse that, as runs do."""
    _dbt(home, settings, "parse")


def build(home: Home, settings: Settings, chosen: argparse.Namespace) -> None:
    """Every model and every data test, from nothing."""
    from orchestration.run.dbt import WITHOUT_UNIT_TESTS

    _dbt(home, settings, "build", *WITHOUT_UNIT_TESTS, "--full-refresh")


def models(home: Home, settings: Settings, chosen: argparse.Namespace) -> None:
    """Every model from nothing, without tests."""
    _dbt(home, settings, "build", "--full-refresh", *MODELS_ONLY)


def models_without_identity(home: Home, settings: Settings, chosen: argparse.Namespace) -> None:
    """The same, but for the models that resolve identity: their tables stay as they are."""
    _dbt(home, settings, "build", "--full-refresh", *MODELS_ONLY, "--exclude", *RESOLVES_IDENTITY)


def increment(home: Home, settings: Settings, chosen: argparse.Namespace) -> None:
    """What a daily run does: models take in what is new, then every test."""
    from orchestration.run.dbt import WITHOUT_UNIT_TESTS

    _dbt(home, settings, "build", *WITHOUT_UNIT_TESTS)


def increment_models(home: Home, settings: Settings, chosen: argparse.Namespace) -> None:
    """The models of a daily run alone."""
    _dbt(home, settings, "build", *MODELS_ONLY)


def publish(home: Home, settings: Settings, chosen: argparse.Namespace) -> None:
    """Candidate, every check, swap, commit."""
    from orchestration.ops.commit import commit_after_publish
    from orchestration.ops.runs import AuditLog
    from orchestration.published.audit import record_audit
    from orchestration.published.candidate import build_candidate
    from orchestration.published.swap import publish as swap
    from orchestration.quality.checks import check_candidate
    from orchestration.run.run import clock

    with opened(home, settings, chosen) as run:
        candidate = build_candidate(home, run)
        results = check_candidate(home, candidate, settings, run.store)
        record_audit(AuditLog(run.store), candidate, results)
        swap(home, AuditLog(run.store), candidate)
        commit_after_publish(run.store, home, finished_at=clock())


def sync(home: Home, settings: Settings, chosen: argparse.Namespace) -> None:
    """Plan and deliver every segment to the file destination."""
    from orchestration.activation.delivery import sync_all

    sync_all(home, None, None).raise_failures()


def floor(home: Home, settings: Settings, chosen: argparse.Namespace) -> None:
    """The same tables by hand-written SQL in one process, but for who is who, which it reads."""
    from tests.benchmarks.floor import build_floor

    facts = json.loads((home.root / FACTS).read_text("utf-8"))
    build_floor(home, settings, datetime.fromisoformat(facts["as_of"]))


STEPS: dict[str, Callable[[Home, Settings, argparse.Namespace], None]] = {
    step.__name__: step
    for step in (
        *(begin, ingest, permission, parse, build, models, models_without_identity),
        *(increment, increment_models, publish, sync, floor),
    )
}


def main(arguments: list[str]) -> int:
    """Do one step."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.steps")
    parser.add_argument("step", choices=sorted(STEPS))
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--input", default="")
    parser.add_argument("--as-of", type=datetime.fromisoformat)
    chosen = parser.parse_args(arguments)
    os.umask(0o077)
    os.environ["REGULARS_HOME"] = str(chosen.home)
    home = Home(chosen.home)
    bound_memory(home)
    STEPS[chosen.step](home, pretend_settings(home), chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
