"""Find out whether one two-tower model can serve every kind of campaign."""
