"""The report: what it holds, its charts, and the one page they stand on."""
