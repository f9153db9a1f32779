"""What Maatmatch does, as plain functions on a session. They never commit; callers do."""
