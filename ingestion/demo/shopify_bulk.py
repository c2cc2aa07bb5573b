"""The pretend Shopify's bulk operations: a query's objects as JSON Lines, nested ones by parent.

Rules as in earnest: one root connection, connections need no `first`, the nodes of an inner
connection become lines of their own with `__parentId`, and a connection inside a list is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)
from graphql.language import StringValueNode

from ingestion.demo.shopify_nodes import ROOTS, Node, Store, inner_nodes


class BulkError(Exception):
    """A query that a bulk operation cannot run."""


Project = Callable[[Node], dict[str, Any]]


def run_bulk(schema: GraphQLSchema, document: DocumentNode, store: Store) -> tuple[list[str], int]:
    """All lines of the result, and how many of them are root objects.

    Raises:
        BulkError: the query is not one top-level connection, or asks for what it cannot have.
    """
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    roots = [node for node in operation.selection_set.selections if isinstance(node, FieldNode)]
    if len(roots) != 1 or roots[0].name.value not in ROOTS:
        raise BulkError("Bulk queries must contain exactly one top-level connection.")
    root = roots[0]
    kind = root.name.value
    builder = _Builder(schema, fragments)
    project, inner = builder.connection(schema.type_map[ROOTS[kind]], root)
    search = next((a.value for a in root.arguments or () if a.name.value == "query"), None)
    text = search.value if isinstance(search, StringValueNode) else None
    lines: list[str] = []
    keys = store.chosen(kind, text)
    for _, number in keys:
        node = store.nodes[kind][f"gid://shopify/{ROOTS[kind]}/{number}"]
        _emit(lines, node, project, inner, None)
    return lines, len(keys)


Inner = list[tuple[str, Project, "Inner"]]


def _emit(lines: list[str], node: Node, project: Project, inner: Inner, parent: str | None) -> None:
    content = project(node)
    if parent:
        content["__parentId"] = parent
    lines.append(json.dumps(content, ensure_ascii=False, separators=(",", ":")))
    for name, child_project, child_inner in inner:
        for child in inner_nodes(node, name):
            _emit(lines, child, child_project, child_inner, node["id"])


class _Builder:
    """Turns a selection into a function, so that thousands of nodes need no GraphQL execution."""

    def __init__(self, schema: GraphQLSchema, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self.schema = schema
        self.fragments = fragments

    def connection(self, parent: Any, field: FieldNode) -> tuple[Project, Inner]:
        """What to project of each node of a connection, and the connections inside it."""
        for node in field.selection_set.selections if field.selection_set else ():
            if isinstance(node, FieldNode) and node.name.value == "nodes":
                return self.node(parent, node.selection_set, in_list=False)
            if isinstance(node, FieldNode) and node.name.value == "edges" and node.selection_set:
                for inner in node.selection_set.selections:
                    if isinstance(inner, FieldNode) and inner.name.value == "node":
                        return self.node(parent, inner.selection_set, in_list=False)
        raise BulkError("A connection needs edges or nodes.")

    def node(
        self, parent: Any, selections: SelectionSetNode | None, *, in_list: bool
    ) -> tuple[Project, Inner]:
        """The projection of one object."""
        plain: list[tuple[str, str, Callable[[Any], Any] | None]] = []
        inner: Inner = []
        for field in self.fields(selections):
            name = field.name.value
            key = field.alias.value if field.alias else name
            if name == "__typename":
                plain.append((key, name, _constant(parent.name)))
                continue
            if field.selection_set is None:
                plain.append((key, name, None))
                continue
            kind = parent.fields[name].type
            named = get_named_type(kind)
            if named.name.endswith("Connection"):
                if in_list:
                    raise BulkError(
                        "Queries that contain a connection field within a list field are not "
                        "currently supported."
                    )
                item = get_named_type(named.fields["nodes"].type)
                inner.append((name, *self.connection(item, field)))
                continue
            plain.append((key, name, self.value(kind, named, field, in_list)))
        return _projection(plain), inner

    def value(self, kind: Any, named: Any, field: FieldNode, in_list: bool) -> Callable[[Any], Any]:
        """The projection of a field that holds an object or a list of objects."""
        bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        is_list = isinstance(bare, GraphQLList)
        target = (
            self.schema.type_map["CardPaymentDetails"] if named.name == "PaymentDetails" else named
        )
        project, inner = self.node(target, field.selection_set, in_list=in_list or is_list)
        if inner:
            raise BulkError("Connections inside single objects are not served here.")
        if is_list:
            return lambda values: [project(value) for value in values]
        return lambda value: None if value is None else project(value)

    def fields(self, selections: SelectionSetNode | None) -> list[FieldNode]:
        """The fields of a selection with its fragments laid open."""
        nodes: list[FieldNode] = []
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                nodes.append(node)
            elif isinstance(node, InlineFragmentNode):
                nodes += self.fields(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                nodes += self.fields(self.fragments[node.name.value].selection_set)
        return nodes


def _constant(text: str) -> Callable[[Any], str]:
    return lambda _: text


def _projection(plain: list[tuple[str, str, Callable[[Any], Any] | None]]) -> Project:
    def project(node: Node) -> dict[str, Any]:
        return {
            key: node.get(name) if inner is None else inner(node.get(name))
            for key, name, inner in plain
        }

    return project
