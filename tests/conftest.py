"""The servers of a run, what every test may ask for, and what is evidence for what: plugins."""

pytest_plugins = ["cluster", "foundation", "product", "soak", "specs", "together"]
