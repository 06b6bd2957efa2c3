"""The servers of a run, and what every test may ask for. Plugins, so that both may be imported."""

pytest_plugins = ["cluster", "foundation", "product"]
