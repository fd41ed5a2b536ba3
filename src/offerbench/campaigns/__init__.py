"""Campaigns: who will buy an offer, delivered as an audience, and what came of it."""
