"""Background work of a server: polls that were started or are scheduled, and daily chores, durable on DBOS with SQLite."""
