"""Sizes and names as people read them."""

from __future__ import annotations


def in_words(size_bytes: int) -> str:
    """Give a size as people write it: 512 bytes, 1.4 MiB."""
    if size_bytes < 1024:
        return f"{size_bytes} bytes"
    size = float(size_bytes)
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1000 or unit == "GiB":
            break
    return f"{size:.3g} {unit}" if size < 1000 else f"{size:.0f} {unit}"


def shown(path: str) -> str:
    """Give a path on one line: what cannot be printed, or would turn the line around, becomes a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in path)
