"""
The command line: the same use cases that pages and the API call, audited with actor `system`.

Every command takes --json and ends with an exit code that a script can use:
0 done · 1 refused or failed · 2 the command was not understood · 3 something is away, try again.
"""
