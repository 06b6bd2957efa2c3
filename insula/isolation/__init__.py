"""
Whether the wall between tenants holds, asked again and again while the product runs (BEY-1).

Two canaries are tenants of the installation itself, with a row in every table of tenants. The
worker asks, bound to the one and to nobody, for the rows of the other, through every door there is;
and it brings what the one was issued to the other's host (`web`).
Owns    isolation_runs; the canaries and what is planted with them
Serves  nothing; the worker probes, `/platform`, the API and the ops gateway tell what came of it
Refuses nothing: what comes through is recorded, signed, counted and shown
"""
