"""What resolvers get from the engine."""

from __future__ import annotations

from typing import Any

from strawberry.types import Info as StrawberryInfo

from libms.graphql.context import Context

Info = StrawberryInfo[Context, Any]
