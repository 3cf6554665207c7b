"""The tools of a workspace: what each is for, where it is, and which variants of the image have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ALL: Final = frozenset({"minimal", "full"})
FULL: Final = frozenset({"full"})


@dataclass(frozen=True)
class Tool:
    """One way into a workspace."""

    path: str
    name: str
    words: str
    variants: frozenset[str]


TOOLS: Final = (
    Tool("lab", "JupyterLab", "Notebooks, editors, terminals and files side by side.", ALL),
    Tool("tree", "Notebook", "One notebook at a time, without the rest.", ALL),
    Tool("vscode/", "VS Code", "The code editor, with its extensions, in the browser.", FULL),
    Tool("desktop/", "Desktop", "A Linux desktop for programs that have windows.", FULL),
    Tool("terminals/main", "Terminal", "A shell in your own Linux container; it stays as you left it.", ALL),
    Tool("ungit/", "ungit", "What changed in a git repository, as a picture.", FULL),
)
