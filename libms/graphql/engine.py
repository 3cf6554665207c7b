"""Execute any query, and put errors into the contract's shape."""

from __future__ import annotations

import logging
import secrets
from typing import Any, Final

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from libms.graphql.context import Context
from libms.graphql.schema import make_schema
from twinhub.errors import PublicError

CLIENT_CODE: Final = "INTERNAL_SERVER_ERROR"
"""What clients of other DTaaS installations expect for every failure of a resolver."""

log = logging.getLogger("libms")


class Engine:
    """The schema, ready to answer."""

    def __init__(self) -> None:
        self._schema = make_schema()

    def execute(
        self, query: str, variables: dict[str, Any] | None, operation: str | None, context: Context
    ) -> tuple[int, dict[str, Any]]:
        """Give the HTTP status and the answer; 400 for what is no query of this schema."""
        context.operation = operation
        try:
            result = self._schema.execute_sync(
                query,
                variable_values=variables,
                operation_name=operation,
                context_value=context,
                allowed_operation_types=(OperationType.QUERY, OperationType.MUTATION),
            )
        except (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError) as error:
            message = "The request names no query or mutation that could be executed."
            return 400, {"errors": [_rejection(GraphQLError(message, original_error=error))]}
        if context.ambiguous:
            message = "The request holds several operations and does not say which."
            errors = [{"message": message, "extensions": {"code": "OPERATION_RESOLUTION_FAILURE"}}]
            return 400, {"errors": errors}
        if not context.executed and _is_mutation(query, result.errors or []):
            # As an installation without mutations answers, whose clients look at `errors` and not at the status.
            return 200, {"data": None, "errors": [_rejection(error) for error in result.errors or ()]}
        if not context.executed:
            return 400, {"errors": [_rejection(error) for error in result.errors or ()]}
        content: dict[str, Any] = {"data": result.data}
        errors = [_failure(error) for error in result.errors or ()]
        errors += [{"message": notice, "extensions": {"code": "LISTING_CUT"}} for notice in context.notices]
        if errors:
            content["errors"] = errors
        return 200, content


def _is_mutation(query: str, errors: list[GraphQLError]) -> bool:
    """Tell a mutation that this schema does not have from a query that is wrong."""
    return query.lstrip().startswith("mutation") and any("on type 'Mutation'" in error.message for error in errors)


def _rejection(error: GraphQLError) -> dict[str, Any]:
    code = "GRAPHQL_PARSE_FAILED" if isinstance(error, GraphQLSyntaxError) else "GRAPHQL_VALIDATION_FAILED"
    return {**error.formatted, "extensions": {"code": code}}


def _failure(error: GraphQLError) -> dict[str, Any]:
    """Show our own words for what a person can act on; everything else is our bug and gets a reference number."""
    formatted = dict(error.formatted)
    cause = error.original_error
    if isinstance(cause, PublicError):
        formatted["message"] = f"{cause.what} {cause.fix}".strip()
        formatted["extensions"] = {"code": CLIENT_CODE, "reason": cause.code}
    elif isinstance(cause, GraphQLError) or (cause is None and not error.path):
        formatted["extensions"] = {"code": "BAD_USER_INPUT"}  # variables of the wrong type, or none
    elif cause is not None:
        reference = secrets.token_hex(4)
        log.error("failure %s", reference, exc_info=cause)
        formatted["message"] = f"Something went wrong on our side. Reference: {reference}"
        formatted["extensions"] = {"code": CLIENT_CODE}
    return formatted
