"""Windows of time, on machines of any speed: what has to happen before something ends is tried again with more time, and never judged late."""
import time


def widening(attempt, *windows):
    """What attempt(window) gives, tried with each in turn, the last one the easiest; None says that the machine was too slow for the window."""
    for window in windows:
        result = attempt(window)
        if result is not None:
            return result
    raise AssertionError(f"too slow even for {windows[-1]}")


def hour():
    """So many seconds, from one hour to two, that the present window of [limits] is in its first half: they are counted since 1970."""
    now = time.time()
    return next(seconds for seconds in range(3600, 7200) if now % seconds < seconds / 2)
