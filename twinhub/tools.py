"""The tools of a workspace: name, address, purpose, and which variants of the image have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from twinhub.images import Variant

EVERYWHERE: Final = (Variant.MINIMAL, Variant.FULL)


@dataclass(frozen=True)
class Tool:
    """One tool, one click away."""

    name: str
    path: str
    """Below the workspace's own address, /user/NAME/."""
    words: str
    variants: tuple[Variant, ...]


TOOLS: Final = (
    Tool("JupyterLab", "lab", "Notebooks, editors, terminals, git and files side by side.", EVERYWHERE),
    Tool("Notebook", "tree", "One notebook at a time, without the rest.", EVERYWHERE),
    Tool("VS Code", "vscode/", "The code editor, with its extensions, in the browser.", (Variant.FULL,)),
    Tool("Desktop", "desktop/", "A Linux desktop for programs that have windows.", (Variant.FULL,)),
    Tool("Terminal", "terminals/main", "A shell in your own Linux container; it stays as you left it.", EVERYWHERE),
    Tool("ungit", "ungit/", "What changed in a git repository, as a picture.", (Variant.FULL,)),
)


def tools_of(variant: str) -> tuple[Tool, ...]:
    """Give the tools that a workspace of this variant has."""
    return tuple(tool for tool in TOOLS if Variant(variant) in tool.variants)
