"""Canonical events -> labels, splits, histories."""
