"""The store: one SQLite file, the only SQL in labelkit, and nothing but domain values out of it."""
