"""
People as their administrators see them: found, changed, locked, given roles (features.md G).

Owns    nothing of its own; its store reads and writes the tables of `accounts`
Refuses to let an administrator shut out themselves or the last of them (CR-8)
"""
