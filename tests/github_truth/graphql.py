"""GraphQL queries and answers, held against `@octokit/graphql-schema`."""

from __future__ import annotations

from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLResolveInfo,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from tests.github_truth.places import GRAPHQL


class GraphQL:
    """GitHub's whole public schema."""

    def __init__(self) -> None:
        self._schema = build_schema(GRAPHQL.read_text(encoding="utf-8"), assume_valid=True)

    def problems(self, exchange: dict[str, Any]) -> list[str]:
        """Say what is not as GitHub describes it."""
        request, answer = exchange["body"], exchange["answer"]
        if not isinstance(request, dict) or exchange["status"] != 200:
            return []
        try:
            document = parse(request["query"])
        except (GraphQLError, KeyError, TypeError):
            return [] if "errors" in answer else ["query: answered although it cannot be read"]
        errors = validate(self._schema, document)
        if errors:
            return [] if "errors" in answer else [f"query: {error.message}" for error in errors]
        if answer.get("data") is None or "errors" in answer:
            return []
        # Run on GitHub's schema with the answer as its data: types, enumerations and what may not be null.
        result = execute_sync(
            self._schema,
            document,
            root_value=answer["data"],
            variable_values=request.get("variables") or {},
            field_resolver=_from_answer,
            type_resolver=_type_of,
        )
        if not isinstance(result, ExecutionResult):
            raise TypeError("nothing here is awaited")
        return [f"answer: {error.message} at {error.path}" for error in result.errors or []]


def _from_answer(source: Any, info: GraphQLResolveInfo[Any], **_: Any) -> Any:
    return source.get(info.path.key) if isinstance(source, dict) else None


def _type_of(value: Any, info: GraphQLResolveInfo[Any], abstract: GraphQLAbstractType) -> str | None:
    """Find the type of a value: as it says itself, or the first that has all of its fields."""
    if "__typename" in value:
        return str(value["__typename"])
    for possible in info.schema.get_possible_types(abstract):
        if value.keys() <= possible.fields.keys():
            return possible.name
    return None
