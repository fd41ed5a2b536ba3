"""The two-tower model and its training."""
