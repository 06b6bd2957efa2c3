"""
What grows with the number of tenants, and what does not: ten of them against a hundred thousand.

One installation grows from size to size by `insula.platform.seeding`; at each size everything but
the spread of a change is measured twice and the better round counts, since others use the machine.
"""
