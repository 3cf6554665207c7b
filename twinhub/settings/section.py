"""What the parts of twinhub.yaml are made of."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

Port = Annotated[int, Field(ge=1, le=65535)]
Size = Annotated[str, Field(pattern=r"^[1-9][0-9]*[KMGT]$")]
SECRET_FILE: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"  # noqa: S105 - a pattern
"""Name of a file below secrets/."""


class Section(BaseModel):
    """A part of the file; unknown keys are errors, so a typing slip never passes silently."""

    model_config = ConfigDict(extra="forbid", frozen=True)
