"""Target events -> batches, and the bags that a batch looks up."""
