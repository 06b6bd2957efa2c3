"""
Scripts that take turns: one HTTP request of the first, one of the second, and so on.

A script is a coroutine. Whatever it awaits in the end is a turn: something to do while the script
waits, after which the others have theirs. No event loop is needed, and no thread: the order is the
same in every run.
"""

import time
from collections import deque


class Turn:
    """What is done while a script waits; the script gets what *act* returns or raises."""

    def __init__(self, act):
        self._act = act

    def __await__(self):
        return (yield self._act)


def request(http, method, url, **options):
    """One HTTP request: the whole of a turn."""
    return Turn(lambda: http.request(method, url, **options))


def idle():
    """Let the others go on."""
    return Turn(lambda: None)


async def pause(seconds):
    """Wait; scripts that begin to wait at the same point wait together."""
    until = time.monotonic() + seconds
    await idle()
    await Turn(lambda: time.sleep(max(0, until - time.monotonic())))


def take_turns(scripts):
    """
    Run *scripts*, coroutines by name, to their ends; how many turns each has taken, by name.

    What one of them raises ends all, and says whose it is.
    """
    turns = dict.fromkeys(scripts, 0)
    waiting = deque((name, script, None) for name, script in scripts.items())
    try:
        while waiting:
            name, script, answer = waiting.popleft()
            try:
                act = script.send(answer)
            except StopIteration:
                continue
            except Exception as error:
                error.add_note(f"at {name}, after {turns[name]} turns")
                raise
            turns[name] += 1
            waiting.append((name, script, act()))
    finally:
        for script in scripts.values():
            script.close()
    return turns
