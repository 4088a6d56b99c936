"""`python -m api`: the `hub` command."""

from api.cli import main

main()
