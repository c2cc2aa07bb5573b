"""What a query costs in the pretend Shopify: a point per object, connections times their size.

Our own model of a rule whose exact numbers Shopify keeps to itself: money bags and page details are
free, a plain list is one object, `nodes(ids:)` counts its ids, a mutation ten more. Good enough to
meet the limits as one would in earnest.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)
from graphql.language import IntValueNode, VariableNode

FREE = {"MoneyBag", "MoneyV2", "PageInfo", "Attribute", "Count"}
UNSIZED = 10


def cost_of(schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]) -> int:
    """The points of the whole document."""
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    total = 0
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            if definition.operation.value == "mutation":
                total += 10
            root = schema.get_root_type(definition.operation)
            total += _selections(root, definition.selection_set, fragments, variables)
    return total


def _selections(
    parent: Any,
    selections: SelectionSetNode | None,
    fragments: dict[str, FragmentDefinitionNode],
    variables: dict[str, Any],
) -> int:
    total = 0
    for node in selections.selections if selections else ():
        if isinstance(node, InlineFragmentNode):
            total += _selections(parent, node.selection_set, fragments, variables)
        elif isinstance(node, FragmentSpreadNode):
            total += _selections(
                parent, fragments[node.name.value].selection_set, fragments, variables
            )
        elif isinstance(node, FieldNode) and node.selection_set:
            total += _field(parent, node, fragments, variables)
    return total


def _field(
    parent: Any,
    node: FieldNode,
    fragments: dict[str, FragmentDefinitionNode],
    variables: dict[str, Any],
) -> int:
    fields = getattr(parent, "fields", {})
    if node.name.value not in fields:
        return _selections(parent, node.selection_set, fragments, variables)
    kind = fields[node.name.value].type
    named = get_named_type(kind)
    inner = _selections(named, node.selection_set, fragments, variables)
    if named.name in FREE:
        return inner
    if named.name.endswith("Connection"):
        return 2 + _first(node, variables) * inner
    ids = next((a.value for a in node.arguments or () if a.name.value == "ids"), None)
    if isinstance(ids, VariableNode):
        return len(variables.get(ids.name.value) or ()) * (1 + inner)
    return 1 + inner


def _first(node: FieldNode, variables: dict[str, Any]) -> int:
    for argument in node.arguments or ():
        if argument.name.value == "first":
            if isinstance(argument.value, IntValueNode):
                return int(argument.value.value)
            if isinstance(argument.value, VariableNode):
                return int(variables.get(argument.value.name.value) or UNSIZED)
    return UNSIZED
