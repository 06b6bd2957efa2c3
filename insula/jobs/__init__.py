"""
Jobs: work that happens after the answer, from a queue in the same database.

Owns    the schema insula_jobs (procrastinate's tables)
Serves  nothing; `insula worker` runs what is queued
Refuses arguments other than ids: what a job acts on it reads when it runs
"""
