"""`python -m insula.platform.cli`: the command `insula` without an installed script."""

from insula.platform.cli.main import main

main()
