"""What every package builds on: names, paths, files, errors, configurations."""
