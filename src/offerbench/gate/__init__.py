"""The gate: wAUC of the working tree against that of another git revision."""
