"""One function per use case: open the store, call the pure parts, return a value."""
