"""The library's index: searching, and counting each owner's bytes. Its file is only ever a cache."""

from libms.index.index import Index
from libms.index.indexer import Indexer
from libms.index.search import Hit, Page, Query

__all__ = ["Hit", "Index", "Indexer", "Page", "Query"]
