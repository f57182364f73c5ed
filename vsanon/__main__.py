"""`python -m vsanon`: the command line."""

from vsanon.cli.main import main

main()
