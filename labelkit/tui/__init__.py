"""The labeling desk: one pure state, and the screen, the line mode and JSONL that show it."""
