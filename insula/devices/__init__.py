"""
Devices: the page where people let in a device that has no keyboard (RFC8628-3.3).

Owns    how a user code is written, compared and kept; the decision on a waiting device
Serves  /device
Refuses to decide silently: a code that came in the address is shown for comparison all the same
"""
