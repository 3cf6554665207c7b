"""What a platform writes into its logs while something is done to it."""

from __future__ import annotations

from pathlib import Path

from twinhub.places import Places

TRACEBACK = "Traceback (most recent call last)"


class LogWatch:
    """Remember how long every log is; give what was added since, also across a rotation."""

    def __init__(self, places: Places) -> None:
        self._folder = places.log
        self._before = {file: file.stat() for file in self._files()}

    def _files(self) -> list[Path]:
        return [file for file in self._folder.rglob("*") if file.is_file()]

    def added(self) -> dict[str, str]:
        """Give the new text of each file that has some."""
        known = {seen.st_ino: seen.st_size for seen in self._before.values()}
        texts = {}
        for file in self._files():
            with file.open("rb") as stream:
                stream.seek(known.get(file.stat().st_ino, 0))
                text = stream.read().decode(errors="replace")
            if text:
                texts[str(file.relative_to(self._folder))] = text
        return texts

    def tracebacks(self) -> dict[str, str]:
        """Give the new tracebacks of each file that has some, from the first on."""
        return {name: text[text.index(TRACEBACK) :][:3000] for name, text in self.added().items() if TRACEBACK in text}
