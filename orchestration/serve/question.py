"""What a GraphQL question asks of Dagster: to read, or to change something.

Belongs here: reading the question. Does not belong here: who may ask it (guard.py), and answering.
"""

from __future__ import annotations

import json

from graphql import (
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    parse,
)

MOST_TOKENS = 20_000  # of a viewer's question; those of Dagster's page have hundreds
_READING = (OperationType.QUERY, OperationType.SUBSCRIPTION)


def is_one_question(body: bytes) -> bool:
    """Whether it is one JSON object with a question; a list would be several at once."""
    try:
        question = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(question, dict) and isinstance(question.get("query"), str)


def changes_something(body: bytes) -> bool:
    """Whether any part of the question may change something; what cannot be read may."""
    try:
        document = parse(json.loads(body)["query"], no_location=True, max_tokens=MOST_TOKENS)
    except (GraphQLError, RecursionError):
        return True
    return not all(_only_reads(definition) for definition in document.definitions)


def _only_reads(definition: object) -> bool:
    if isinstance(definition, OperationDefinitionNode):
        return definition.operation in _READING
    return isinstance(definition, FragmentDefinitionNode)
