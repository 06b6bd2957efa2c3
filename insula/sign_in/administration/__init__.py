"""
Sessions, and what people have allowed, as administrators see and end them (features.md I).

Owns    nothing of its own; its store reads and writes the tables of `sign_in`
Refuses to end a great many in one sweep: they end in batches
"""
