"""What Dagster's page starts, started as it does, in one process: parts of the graph, and again.

Belongs here: executing a list of selections on a copy of a demo home and on a new home, and telling
what came of each as JSON. Does not belong here: what must have come of them (test_selections.py).
It is a program of its own because definitions are made once per process, for one home's settings.

Usage: python -m tests.end_to_end.selections DEMO_HOME NEW_HOME NEW_SETTINGS
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingestion.errors import RegularsError
from orchestration.home.layout import Home
from orchestration.host.launch import QUIET, prepare
from orchestration.published.reader import read_build
from orchestration.run.dbt import target_path


class Page:
    """Dagster's page on one home: "Materialize", "Re-execute"."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root)
        prepare(self.home)
        from orchestration.definitions import definitions

        self.graph = definitions.resolve_asset_graph()
        self.job = definitions.resolve_implicit_global_asset_job_def()
        self.exported = [
            key.path[-1] for key in self.graph.get_all_asset_keys() if key.path[0] == "ops"
        ]
        self.told: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, str] = {}

    def materialize(self, name: str, *chosen: str, **config: Any) -> None:
        """`dim_customers` alone, `dim_customers+` with everything downstream."""
        keys = frozenset(key for each in chosen for key in self._keys(each))
        with self._instance() as instance:
            run = instance.create_run_for_job(
                self.job,
                run_config={**QUIET, "resources": {"run": {"config": config}}},
                asset_selection=keys,
            )
            self._execute(name, self.job, run, instance)

    def materialize_all(self, name: str, **config: Any) -> None:
        """ "Materialize all": the whole graph, with nothing filled in on the launch pad."""
        with self._instance() as instance:
            facts = {"resources": {"run": {"config": config}}} if config else {}
            run = instance.create_run_for_job(self.job, run_config={**QUIET, **facts})
            self._execute(name, self.job, run, instance)

    def again(self, name: str, parent: str, *, from_failure: bool) -> None:
        """ "Re-execute from failure", or "Re-execute all" of a run of before."""
        from dagster._core.execution.api import create_execution_plan
        from dagster._core.execution.plan.state import KnownExecutionState

        with self._instance() as instance:
            before = instance.get_run_by_id(self.runs[parent])
            job = self.job.get_subset(asset_selection=before.asset_selection)
            steps, known = (
                KnownExecutionState.build_resume_retry_reexecution(instance, before)
                if from_failure
                else (None, None)
            )
            plan = create_execution_plan(
                job, before.run_config, step_keys_to_execute=steps, known_state=known
            )
            run = instance.create_run_for_job(
                job,
                execution_plan=plan,
                run_config=before.run_config,
                asset_selection=before.asset_selection,
                root_run_id=before.run_id,
                parent_run_id=before.run_id,
            )
            self._execute(name, job, run, instance)
        self.told[name]["steps"] = sorted(steps or [])

    def _keys(self, text: str) -> Any:
        import dagster as dg

        selection = dg.AssetSelection.assets(dg.AssetKey(text.rstrip("+").split("/")))
        return (selection.downstream() if text.endswith("+") else selection).resolve(self.graph)

    @contextlib.contextmanager
    def _instance(self) -> Iterator[Any]:
        import dagster as dg

        with dg.DagsterInstance.get() as instance:
            yield instance

    def _execute(self, name: str, job: Any, run: Any, instance: Any) -> None:
        from dagster._core.definitions.job_base import InMemoryJob
        from dagster._core.execution.api import execute_run

        self.runs[name] = run.run_id
        success = execute_run(InMemoryJob(job), run, instance).success
        events = [e for e in instance.all_logs(run.run_id) if e.dagster_event]
        ends = [e for e in events if e.dagster_event.is_job_event]
        tags = instance.get_run_by_id(run.run_id).tags
        self.told[name] = {
            **self.state(),
            "success": success,
            "last": ends[-1].dagster_event.message,
            "tags": {key.removeprefix("regulars/"): value for key, value in tags.items()},
            "checks": {
                e.dagster_event.event_specific_data.check_name: (
                    e.dagster_event.event_specific_data.passed,
                    e.dagster_event.event_specific_data.description or "",
                )
                for e in events
                if e.dagster_event.event_type_value == "ASSET_CHECK_EVALUATION"
            },
        }

    def state(self) -> dict[str, Any]:
        """What is published, delivered and recorded, and whether the lock is given back."""
        return {
            "published": self._published(),
            "status": self._status(),
            "delivered": self._delivered(),
            "is_free": self._is_free(),
        }

    def _published(self) -> list[str]:
        if not self.home.published.exists():
            return []
        build, run, as_of = read_build(self.home.published)
        return [build, run, as_of.isoformat(), str(self.home.published.stat().st_ino)]

    def _status(self) -> str:
        """What the operational store says of its newest run."""
        from sqlalchemy import select

        from orchestration.ops import schema
        from orchestration.ops.store import open_store

        with open_store(self.home) as store, store.read() as connection:
            runs = schema.runs.c
            query = select(runs.status).order_by(runs.started_at, runs.run_id)
            found = connection.execute(query).scalars().all()
        return str(found[-1]) if found else ""

    def _delivered(self) -> list[str]:
        files = sorted(self.home.root.glob("delivered/**/*.csv"))
        return [f"{file.name} {file.stat().st_mtime_ns}" for file in files]

    def _is_free(self) -> bool:
        with self.home.lock.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True


def on_a_published_home(page: Page) -> None:
    from orchestration.defs import published

    page.told["at first"] = page.state()
    page.materialize("one model", "dim_customers")
    page.materialize("others are older", "publish/candidate+")
    page.again("all of it once more", "others are older", from_failure=False)
    page.materialize("downstream", "dim_customers+")
    page.materialize("published alone", "publish/published")
    page.materialize("activation alone", "activation/file__vip")
    page.materialize("the report alone", "publish/report")
    page.materialize("one table of a source", "shopify/orders")
    page.materialize("another moment", "seg_vip", as_of="2026-08-01")

    def full(*_: Any) -> None:
        raise RegularsError("The disk is full.", "Make room and run again.")

    publish, published.publish = published.publish, full
    page.materialize("stopped", "publish/candidate+")
    published.publish = publish
    page.again("from failure", "stopped", from_failure=True)
    import duckdb

    whole = page.home.warehouse.read_bytes()
    with duckdb.connect(str(page.home.warehouse)) as connection:
        connection.execute("update marts.dim_customers set customer_id = null")
    page.materialize("a check stops", "publish/candidate+")
    page.again("the check stops again", "a check stops", from_failure=True)
    page.home.warehouse.write_bytes(whole)
    page.materialize("a segment", "seg_vip")


def on_a_new_home(page: Page) -> None:
    page.materialize("model", "dim_customers")
    page.materialize("candidate", "publish/candidate")
    page.materialize("published", "publish/published")
    page.materialize("activation", "activation/file__vip")
    page.materialize("report", "publish/report")
    page.materialize("source", "orders/order_lines")
    page.materialize("what ops knows", *(f"ops/{name}" for name in page.exported))
    page.materialize("model without its parents", "dim_customers")


if __name__ == "__main__":
    demo, new, settings = map(Path, sys.argv[1:])
    first = Page(demo)
    on_a_published_home(first)
    os.environ["REGULARS_CONFIG"] = str(settings)
    second = Page(new)
    parsed = target_path(second.home)
    parsed.mkdir(parents=True)
    shutil.copy(target_path(first.home) / "manifest.json", parsed)  # as the code server leaves it
    on_a_new_home(second)
    print(json.dumps({"published": first.told, "new": second.told}))
