"""What dbt last said of every model and test of the warehouse, over all runs.

A run may build some models only ("Materialize" on one, or again from where a run failed). dbt keeps
the results of its last command alone; whether the tables of the warehouse may be published together
also rests on those that stayed. Belongs here: that record, beside dbt's results, and what it says:
which tables are not there, and which are older than what they are made of. Does not belong here:
calling dbt, or judging what a test found (dbt_results.py).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Any

from ingestion.errors import RegularsError
from orchestration.home.layout import Home
from orchestration.run.dbt import target_path

RECORD = "record.json"
RESULTS = "run_results.json"
DONE = ("success", "pass", "warn")
UNFINISHED = "unfinished"
KINDS = ("model", "seed", "snapshot")
# They hold nothing of their own: what is made of them is made of what they read.
TRANSPARENT = ("ephemeral", "view")
NAMED = 5


def last_results(target: Path) -> list[dict[str, Any]]:
    """The newest result of every node; dbt's own last results where no run kept a record."""
    record = _read(target / RECORD)
    if record:
        return list(record["results"].values())
    return list(_read(target / RESULTS).get("results", []))


class Record:
    """The record of one warehouse.

    Args:
        target: dbt's target folder, with the manifest, the results and the record.
        is_empty: whether there is no warehouse, so that nothing of the record holds.
    """

    def __init__(self, target: Path, *, is_empty: bool = False) -> None:
        """Read what is known; nothing is known of a new home."""
        self._target = target
        record = {} if is_empty else _read(target / RECORD)
        self._last: int = record.get("last", 0)
        self._results: dict[str, dict[str, Any]] = record.get("results", {})

    @cached_property
    def tables(self) -> frozenset[str]:
        """The names of all models and seeds that dbt builds as something."""
        return frozenset(node["name"] for node in self._built.values())

    def begin(self, names: Collection[str]) -> None:
        """Forget what is known of these models, and dbt's last results: dbt works on them now.

        Should dbt be killed, they count as not built.
        """
        chosen = set(names)
        known = {**self._nodes, **self._manifest.get("unit_tests", {})}
        self._results = {uid: result for uid, result in self._results.items() if uid in known}
        for uid, node in self._built.items():
            if node["name"] in chosen:
                self._results[uid] = {"unique_id": uid, "status": UNFINISHED, "build": 0}
        self._last += 1
        (self._target / RESULTS).unlink(missing_ok=True)
        self._write()

    def end(self) -> None:
        """Take over what dbt said; names, states and counts only, as its words may hold values."""
        for result in _read(self._target / RESULTS).get("results", []):
            kept = {name: result.get(name) for name in ("unique_id", "status", "failures")}
            self._results[result["unique_id"]] = {**kept, "build": self._last}
        self._write()

    def require_parents(self, names: Collection[str]) -> None:
        """Refuse to build what rests on tables that are not there.

        Raises:
            RegularsError: a table that one of these models reads is neither built nor among them.
        """
        missing = self.missing_before(names)
        if missing:
            raise RegularsError(
                f"{in_short(sorted(names))} cannot be built: the tables {in_short(missing)}, which"
                " come before, are not.",
                "Materialize what comes before too, or run the job `refresh`.",
            )

    def require_whole(self) -> None:
        """Refuse a warehouse whose tables do not belong together.

        Raises:
            RegularsError: a table was never built, failed, or is older than what it is made of.
        """
        missing = self.not_built()
        if missing:
            raise RegularsError(
                f"Nothing can be published: {len(missing)} of {len(self.tables)} tables are not"
                f" built, or were when something failed ({in_short(missing)}).",
                "Materialize these with everything that follows them, or run the job `refresh`.",
            )
        older = self.older_than_parents()
        if older:
            raise RegularsError(
                f"Nothing can be published: some tables ({in_short(older)}) are older than what"
                " they are made of.",
                "Materialize a model with everything that follows it (`--select name+`), or run"
                " the job `refresh`.",
            )

    def missing_before(self, names: Collection[str]) -> list[str]:
        """Tables that these models read, and that are neither among them nor built."""
        chosen = set(names)
        read = (
            parent
            for uid, node in self._built.items()
            if node["name"] in chosen
            for parent in self._parents(uid)
        )
        return self._names(
            uid for uid in read if self._nodes[uid]["name"] not in chosen and not self._is_done(uid)
        )

    def not_built(self) -> list[str]:
        """Tables that were never built, or whose last build failed or was cut off."""
        return self._names(uid for uid in self._built if not self._is_done(uid))

    def older_than_parents(self) -> list[str]:
        """Tables that were not built again after something that they are made of was."""
        return self._names(
            uid
            for uid, node in self._built.items()
            if _kind(node) not in TRANSPARENT
            and any(self._build(parent) > self._build(uid) for parent in self._parents(uid))
        )

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        return _read(self._target / "manifest.json")

    @property
    def _nodes(self) -> dict[str, Any]:
        nodes: dict[str, Any] = self._manifest.get("nodes", {})
        return nodes

    @cached_property
    def _built(self) -> dict[str, Any]:
        return {
            uid: node
            for uid, node in self._nodes.items()
            if node["resource_type"] in KINDS and _kind(node) != "ephemeral"
        }

    def _parents(self, uid: str) -> set[str]:
        """The tables a model reads, through views and what is written into it."""
        seen: set[str] = set()
        ahead = [uid]
        while ahead:
            for parent in self._nodes[ahead.pop()].get("depends_on", {}).get("nodes", []):
                if parent not in self._nodes or parent in seen:
                    continue
                seen.add(parent)
                if _kind(self._nodes[parent]) in TRANSPARENT:
                    ahead.append(parent)
        return {parent for parent in seen if parent in self._built}

    def _is_done(self, uid: str) -> bool:
        return self._results.get(uid, {}).get("status") in DONE

    def _build(self, uid: str) -> int:
        return int(self._results.get(uid, {}).get("build") or 0)

    def _names(self, uids: Any) -> list[str]:
        return sorted({self._nodes[uid]["name"] for uid in uids})

    def _write(self) -> None:
        beside = self._target / f"{RECORD}.part"
        beside.write_text(json.dumps({"last": self._last, "results": self._results}), "utf-8")
        beside.replace(self._target / RECORD)


def record_of(home: Home) -> Record:
    """The record of a home's warehouse."""
    return Record(target_path(home), is_empty=not home.warehouse.exists())


def in_short(names: list[str]) -> str:
    """Some names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _kind(node: dict[str, Any]) -> str:
    return str(node.get("config", {}).get("materialized"))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
