"""The engine: pure Python, without web, database, settings or network."""
