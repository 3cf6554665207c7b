"""Files that stand open, as backends hand them over."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

OpenBytes = Callable[[bytes], AbstractContextManager[int]]


@pytest.fixture(scope="session")
def open_bytes() -> OpenBytes:
    """Give a descriptor of an ordinary file with these bytes, its position not at the beginning."""

    @contextmanager
    def opened(content: bytes) -> Iterator[int]:
        descriptor = os.memfd_create("asset")
        try:
            os.write(descriptor, content)
            yield descriptor
            assert os.lseek(descriptor, 0, os.SEEK_CUR) == len(content), "the shared position was moved"
        finally:
            os.close(descriptor)  # fails when the reader closed it

    return opened
