"""`python -m offerbench` is the command `offerbench`."""

from offerbench.cli import main

main()
