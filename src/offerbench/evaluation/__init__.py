"""Offers, scores by factors, AUC per offer, wAUC."""
