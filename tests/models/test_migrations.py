"""Models and migrations agree, on both databases, in both directions."""

from datetime import UTC, datetime

from sqlalchemy import MetaData, insert, inspect, text

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


def test_an_upgrade_keeps_every_row(database_url: str) -> None:
    engine = make_engine(database_url)
    schema.upgrade(engine, "0001")
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    rows = {
        "company": {"id": "C" * 26, "name": "Wasserij", "description": "", "language": "nl",
                    "recognition": "recognised", "service_radius_km": 30.0, "delivery": "each",
                    "wants_reminders": True, "active": True, "updated_at": moment},
        "site": {"id": "S" * 26, "company_id": "C" * 26, "name": "", "street": "",
                 "postcode": "2800", "nis": "12025", "lat": 51.0, "lon": 4.5},
        "message": {"id": "M" * 26, "kind": "sign_in", "state": "due", "message_id": "<1@x>",
                    "to_email": "a@x.example", "to_name": "", "language": "nl", "subject": "x",
                    "text": "x", "html": "x", "headers": "{}", "due_at": moment, "rank": 0,
                    "attempts": 0, "reply": "", "error": ""},
    }  # fmt: skip
    before = MetaData()
    before.reflect(engine)
    with engine.begin() as connection:
        for name, row in rows.items():
            connection.execute(insert(before.tables[name]).values(**row, created_at=moment))
    schema.upgrade(engine)
    with engine.connect() as connection:
        for name in rows:
            assert connection.scalar(text(f"SELECT count(*) FROM {name}")) == 1, name
    engine.dispose()
