"""Which facts the models below the identity scope read, and which of them no fingerprint knows.

A run solves identity anew only for identifiers in `int_identity_scope`, and an identifier comes
into scope when `int_identity_fingerprints` says that something about it changed. So a fact that a
model below the scope reads and no fingerprint knows would change a customer late or never.

Belongs here: reading this out of dbt's manifest. Does not belong here: which facts are excused
(conventions.csv).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

SCOPE = "int_identity_scope"
FINGERPRINTS = "int_identity_fingerprints"
KEEPS = "replace_scope"
STEPS = "models/intermediate/identity/"

Graph = Mapping[str, frozenset[str]]


def facts_outside_the_fingerprint(manifest: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Each model that is solved for the scope alone, with a fact it reads and no fingerprint knows.

    Solved for the scope alone are the models that keep what earlier runs found, and what these are
    made of below the scope. Models after them read all rows in every run. A fact is what such a
    model reads from above the scope: a model, a seed or a source. A fingerprint knows its own
    inputs and the steps of identity that they are made of. A model beside them, even one made of
    the same inputs, is unknown to it, and so is what lies before the first step of identity, of
    which a few columns came through.

    Args:
        manifest: dbt's manifest.json, read.

    Returns:
        Pairs (model below the scope, fact above it), by name.
    """
    parents, names = _parents(manifest), _names(manifest)
    scope, fingerprints = _id_of(SCOPE, names), _id_of(FINGERPRINTS, names)
    steps = {node for node in _reached({fingerprints}, parents) if _is_step(manifest, node)}
    known = {scope, fingerprints} | parents[fingerprints] | steps
    below = _reached({scope}, _turned(parents))
    return {
        (names[model], names[fact])
        for model in _solved_for_the_scope(manifest, parents, below)
        for fact in parents[model]
        if fact not in below | known
    }


def solved_for_the_scope(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The SQL as written of every model that is solved for the scope alone, by name."""
    parents, names = _parents(manifest), _names(manifest)
    below = _reached({_id_of(SCOPE, names)}, _turned(parents))
    solved = _solved_for_the_scope(manifest, parents, below)
    return {names[model]: manifest["nodes"][model]["raw_code"] for model in solved}


def _solved_for_the_scope(manifest: Mapping[str, Any], parents: Graph, below: set[str]) -> set[str]:
    """The models below the scope that keep rows of other identifiers, or that such are made of."""
    kept = {
        node
        for node, content in manifest["nodes"].items()
        if content.get("config", {}).get("incremental_strategy") == KEEPS
    }
    return below & (kept | _reached(kept, parents))


def _is_step(manifest: Mapping[str, Any], node: str) -> bool:
    """Whether a node is a model of who is who, by its folder."""
    return STEPS in str(manifest["nodes"].get(node, {}).get("original_file_path", ""))


def _id_of(name: str, names: Mapping[str, str]) -> str:
    """The one node of this name."""
    (node,) = (node for node, known in names.items() if known == name)
    return node


def _parents(manifest: Mapping[str, Any]) -> Graph:
    """What each model reads; macros and tests are no facts."""
    return {
        node: frozenset(content["depends_on"].get("nodes", ()))
        for node, content in manifest["nodes"].items()
        if content["resource_type"] == "model"
    }


def _names(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The short name of everything that a model can read."""
    return {
        node: content["name"]
        for part in ("nodes", "sources")
        for node, content in manifest.get(part, {}).items()
    }


def _turned(graph: Graph) -> Graph:
    """The same graph, read from the other end."""
    turned: dict[str, set[str]] = {}
    for node, others in graph.items():
        for other in others:
            turned.setdefault(other, set()).add(node)
    return {node: frozenset(others) for node, others in turned.items()}


def _reached(starts: Iterable[str], graph: Graph) -> set[str]:
    """Every node that edges lead to from the starts; a start only if another start leads to it."""
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        new = set(graph.get(waiting.pop(), ())) - reached
        reached |= new
        waiting += new
    return reached
