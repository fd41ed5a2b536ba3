"""Commands that keep the repository in order."""
