"""`python -m local …` is `pullwright local …`."""

import sys

from pullwright_cli.app import main

main(["local", *sys.argv[1:]])
