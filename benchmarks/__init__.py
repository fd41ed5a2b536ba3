"""Speed, proved by ratios measured side by side in one run."""
