"""What kind of file an asset is: by the ending of its name, held against its first bytes."""

from __future__ import annotations

import codecs
from typing import Final

UNKNOWN: Final = "application/octet-stream"
TEXT: Final = "text/plain"
HEAD_BYTES: Final = 1024

_TEXTS: Final = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "md": "text/markdown",
    "markdown": "text/markdown",
    "json": "application/json",
    "geojson": "application/geo+json",
    "jsonl": "application/jsonl",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "toml": "application/toml",
    "ipynb": "application/x-ipynb+json",
    "py": "text/x-python",
    "m": "text/x-matlab",
    "mo": "text/x-modelica",
    "mos": "text/x-modelica",
    "jl": "text/x-julia",
    "r": "text/x-r",
    "c": "text/x-c",
    "h": "text/x-c",
    "cpp": "text/x-c++",
    "hpp": "text/x-c++",
    "sh": "text/x-shellscript",
    "tex": "text/x-tex",
    "ssd": "application/x-ssp-definition",
    "ssv": "application/x-ssp-parameter-set",
    "ssm": "application/x-ssp-parameter-mapping",
    "ssb": "application/x-ssp-signal-dictionary",
    "svg": "image/svg+xml",
    "gltf": "model/gltf+json",
    "step": "model/step",
    "stp": "model/step",
    "obj": "model/obj",
    "mtl": "model/mtl",
    "ttl": "text/turtle",
    "n3": "text/n3",
    "jsonld": "application/ld+json",
}
"""Formats that are text. HTML, XML and JavaScript are missing on purpose: named as what they are, a browser would run them."""

_BINARIES: Final = {
    "fmu": ("application/x-fmu-sharedlibrary", b"PK"),
    "ssp": ("application/x-ssp-package", b"PK"),
    "zip": ("application/zip", b"PK"),
    "npz": ("application/x-npz", b"PK"),
    "slx": ("application/vnd.mathworks.simulink.model", b"PK"),
    "aasx": ("application/asset-administration-shell-package", b"PK"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK"),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK"),
    "pptx": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", b"PK"),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet", b"PK"),
    "whl": ("application/zip", b"PK"),
    "parquet": ("application/vnd.apache.parquet", b"PAR1"),
    "arrow": ("application/vnd.apache.arrow.file", b"ARROW1"),
    "feather": ("application/vnd.apache.arrow.file", b""),
    "h5": ("application/x-hdf5", b"\x89HDF"),
    "hdf5": ("application/x-hdf5", b"\x89HDF"),
    "nc": ("application/x-netcdf", b""),
    "mat": ("application/x-matlab-data", b""),
    "mf4": ("application/x-asam-mdf", b""),
    "npy": ("application/x-npy", b"\x93NUMPY"),
    "onnx": ("application/onnx", b""),
    "sqlite": ("application/vnd.sqlite3", b"SQLite format 3"),
    "db": ("application/vnd.sqlite3", b"SQLite format 3"),
    "glb": ("model/gltf-binary", b"glTF"),
    "stl": ("model/stl", b""),
    "pdf": ("application/pdf", b"%PDF-"),
    "gz": ("application/gzip", b"\x1f\x8b"),
    "tgz": ("application/gzip", b"\x1f\x8b"),
    "tar": ("application/x-tar", b""),
    "bz2": ("application/x-bzip2", b"BZh"),
    "xz": ("application/x-xz", b"\xfd7zXZ\x00"),
    "zst": ("application/zstd", b"\x28\xb5\x2f\xfd"),
    "7z": ("application/x-7z-compressed", b"7z\xbc\xaf\x27\x1c"),
    "png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    "jpg": ("image/jpeg", b"\xff\xd8\xff"),
    "jpeg": ("image/jpeg", b"\xff\xd8\xff"),
    "gif": ("image/gif", b"GIF8"),
    "webp": ("image/webp", b"RIFF"),
    "mp4": ("video/mp4", b""),
    "webm": ("video/webm", b"\x1a\x45\xdf\xa3"),
    "wav": ("audio/wav", b"RIFF"),
}
"""Formats that are not text, or not always, with the bytes they begin with where these are fixed."""

_INLINE: Final = frozenset({"png", "jpg", "jpeg", "gif", "webp", "svg"})
_TEXT_CONTROLS: Final = b"\t\n\x0b\x0c\r\x1b"
_CONTROLS: Final = bytes(code for code in range(32) if code not in _TEXT_CONTROLS) + b"\x7f"


def media_type(name: str, head: bytes) -> str:
    """Name a file's media type from its name and its first bytes, `HEAD_BYTES` of them or all there are.

    A name that its content belies is believed in nothing: text counts as plain
    text then, and everything else as bytes. Never HTML, XML or JavaScript.
    FMU: FMI for Co-Simulation 1.0; SSP: SSP 1.0; STEP, STL, glTF: registered.
    """
    ending = _ending(name)
    text = is_text(head)
    if ending in _TEXTS:
        return _TEXTS[ending] if text else UNKNOWN
    if ending in _BINARIES:
        media, magic = _BINARIES[ending]
        if head.startswith(magic):
            return media
    return TEXT if text else UNKNOWN


def shows_inline(name: str) -> str | None:
    """Name the media type of images that a page may show in place; None for all else.

    An SVG can carry scripts: it is safe inside `<img>`, and as a page of its own
    only under a policy that forbids them.
    """
    ending = _ending(name)
    if ending not in _INLINE:
        return None
    return _TEXTS[ending] if ending in _TEXTS else _BINARIES[ending][0]


def is_text(head: bytes) -> bool:
    """Say whether a file that begins like this is text: UTF-8, or Latin-1 with few characters beyond ASCII.

    UTF-16 is not text here, as nothing else of the library reads it.
    """
    head = head[:HEAD_BYTES]
    if b"\0" in head:
        return False
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls * 20 > len(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        beyond = sum(code > 127 for code in head)
        return controls == 0 and beyond * 3 <= len(head)
    return True


def _ending(name: str) -> str:
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    return ending.lower() if dot and stem else ""
