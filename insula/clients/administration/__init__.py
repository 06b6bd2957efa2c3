"""
Applications as their administrators see them: found, their secrets, and the end of their access.

Owns    nothing of its own; its store reads and writes the tables of `clients`
Refuses to end a great many tokens in one sweep: they end in batches
"""
