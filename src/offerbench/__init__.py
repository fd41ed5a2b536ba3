"""offerbench: can one two-tower model serve every kind of campaign?"""
