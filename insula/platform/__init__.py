"""
The composition root: what the process is made of, and the commands that run it.

Owns    settings from the environment, wiring, the one list of mounts, migrations, the CLI
Refuses to be imported: nothing below knows it
"""
