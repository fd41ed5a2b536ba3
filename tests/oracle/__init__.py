"""Naive twins of the fast paths: loops that can be checked by reading them."""
