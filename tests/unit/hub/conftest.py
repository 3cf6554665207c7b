"""The hub's database, empty, with our tables in it."""

from collections.abc import Iterator

import pytest
from jupyterhub import orm
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from hub import tables


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    assert tables.TABLES  # importing them has put them into the hub's own metadata
    orm.Base.metadata.create_all(engine)
    with Session(engine, expire_on_commit=False) as opened:
        opened.add_all([orm.Role(name="user"), orm.Role(name="admin"), orm.OAuthClient(identifier="jupyterhub")])
        opened.commit()
        yield opened
    engine.dispose()
