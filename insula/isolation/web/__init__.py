"""
The wall as everybody meets it, over HTTP: one canary's things, brought to the other's host.

Owns    nothing; what is issued to the canaries for one run, in the tables of others
Serves  nothing; the probe asks an application that no socket leads to
Refuses nothing: what is let in is a cell that failed
"""
