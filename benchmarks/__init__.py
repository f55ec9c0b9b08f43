"""Measurements against peers. `make bench` runs them and writes RESULTS.md."""
