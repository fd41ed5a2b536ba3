"""Rows of the results: what scores the pairs of a task."""
