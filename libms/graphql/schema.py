"""The schema with its limits, and as a file: `python -m libms.graphql.schema` writes libms/schema.graphql."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import strawberry
from graphql import GraphQLError, OperationDefinitionNode
from strawberry.extensions import (
    AddValidationRules,
    MaxAliasesLimiter,
    MaxTokensLimiter,
    ParserCache,
    QueryDepthLimiter,
    SchemaExtension,
    ValidationCache,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from libms.graphql.connections import LONG, Long
from libms.graphql.context import Context
from libms.graphql.cost import CostLimit
from libms.graphql.mutations import Mutation
from libms.graphql.queries import Query

DEEPEST_QUERY: Final = 14
"""The fixed queries are seven levels deep; introspection by GraphiQL is the deepest that we expect."""
MOST_ALIASES: Final = 30
MOST_TOKENS: Final = 2_000
CACHED_QUERIES: Final = 64
FILE: Final = Path(__file__).parents[1] / "schema.graphql"
HEAD: Final = (
    "# The library's GraphQL schema, at POST /lib. Written by 'python -m libms.graphql.schema'; a test keeps it true.\n"
    "# listDirectory and readFile have the shape that every DTaaS client knows; what else there is stands beside them.\n\n"
)


class Marks(SchemaExtension):
    """Note when a query is executed: what fails before that is the client's mistake, and answered with 400."""

    def on_execute(self) -> Iterator[None]:
        """Note it."""
        context: Context = self.execution_context.context
        document = self.execution_context.graphql_document
        operations = (
            [one for one in document.definitions if isinstance(one, OperationDefinitionNode)] if document else []
        )
        if len(operations) > 1 and context.operation is None:
            context.ambiguous = True
            raise GraphQLError("Several operations, and none is named.")
        context.executed = True
        yield


class Schema(strawberry.Schema):
    """Leave errors to the endpoint, which logs what is our bug and nothing else."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Do nothing: strawberry would log every missing file with a traceback."""


@cache
def make_schema() -> strawberry.Schema:
    """Build the schema with its limits."""
    return Schema(
        query=Query,
        mutation=Mutation,
        config=StrawberryConfig(scalar_map={Long: LONG}),
        extensions=[
            Marks,
            lambda: QueryDepthLimiter(max_depth=DEEPEST_QUERY),
            lambda: MaxAliasesLimiter(max_alias_count=MOST_ALIASES),
            lambda: MaxTokensLimiter(max_token_count=MOST_TOKENS),
            lambda: AddValidationRules([CostLimit]),
            lambda: ParserCache(maxsize=CACHED_QUERIES),
            lambda: ValidationCache(maxsize=CACHED_QUERIES),
        ],
    )


def schema_text() -> str:
    """Give the schema as the file holds it."""
    return HEAD + make_schema().as_str() + "\n"


if __name__ == "__main__":
    FILE.write_text(schema_text(), encoding="utf-8")
