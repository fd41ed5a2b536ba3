"""Typed, validated parameters: one module for each section of `params.yaml`."""
