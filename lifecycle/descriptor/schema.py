"""The published JSON Schema (draft 2020-12) of descriptors."""

from __future__ import annotations

from pathlib import Path
from typing import Final

SCHEMA: Final = Path(__file__).with_name("twin.schema.json")
