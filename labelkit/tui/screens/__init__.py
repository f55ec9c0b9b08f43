"""The little that needs Textual to run: a sheet that shows pages, and editors."""
