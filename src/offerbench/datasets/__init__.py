"""One module a source: raw files -> the canonical event table."""
