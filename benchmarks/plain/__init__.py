"""Straightforward twins in the manner of the published system, to measure ours against."""
