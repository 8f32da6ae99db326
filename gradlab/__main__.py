"""`python -m gradlab` is the command `gradlab`."""

from gradlab.cli import main

main()
