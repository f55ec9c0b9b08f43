"""What the screen looks like: pure functions from state and size to lines of Content."""
