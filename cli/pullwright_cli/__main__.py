"""`python -m pullwright_cli` is the command `pullwright`."""

from pullwright_cli.app import main

main()
