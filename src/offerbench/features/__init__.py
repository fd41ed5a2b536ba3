"""What scorers look at: offers, match counts, groupings."""
