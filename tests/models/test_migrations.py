"""Models and migrations agree, on both databases, in both directions."""

from sqlalchemy import inspect

from api.database import make_engine
from models import schema


def test_migrations_make_exactly_the_tables_of_the_models(database_url: str) -> None:
    engine = make_engine(database_url)
    schema.upgrade(engine)
    assert schema.present_revision(engine) == schema.newest_revision()
    assert schema.differences(engine) == []
    engine.dispose()


def test_migrations_can_be_undone(database_url: str) -> None:
    engine = make_engine(database_url)
    schema.upgrade(engine)
    schema.downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    schema.upgrade(engine)
    assert schema.differences(engine) == []
    engine.dispose()


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    engine = make_engine(database_url)
    schema.upgrade(engine)
    schema.upgrade(engine)
    assert schema.differences(engine) == []
    engine.dispose()
