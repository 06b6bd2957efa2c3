"""
What is fast, and how we know: a load driver against a real server, and micro-benchmarks.

`python -m bench` starts its own database, pins the server to one core and everything else to the
other, prints a table and writes docs/performance.md. The peer of the budgets (`bench.peer`) and an
application that does nothing (`bench.bare`) are measured beside us, one at a time. It talks to
loopback only, but for npm that fetches the peer at the first run, and ends by itself.
"""
