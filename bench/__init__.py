"""
What is fast, and how we know: a load driver against a real server, and micro-benchmarks.

`python -m bench` starts its own database, pins the server to one core and everything else to the
other, prints a table and writes docs/performance.md. It talks to loopback only and ends by itself.
"""
