"""
Outbound: the one guarded door through which Insula asks other hosts for something.

Owns    nothing that is stored; breakers, queues and counters of this process
Serves  nothing; key sets, request objects, logos, logout and every other call out come through here
Refuses addresses that are not globally routable in whatever notation, connections to any address
        but the one that was checked, redirects, compressed, large and slow answers
"""
