"""Parts of addresses that Starlette has no kind for."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class InstanceConvertor(Convertor[str]):
    """An instance's id: any characters, slashes too where they were written as %2F."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        """Give it as it is."""
        return value

    def to_string(self, value: str) -> str:
        """Give it as it is."""
        return value


register_url_convertor("instance", InstanceConvertor())
