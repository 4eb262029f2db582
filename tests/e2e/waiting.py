"""Waits for what happens soon, on a machine that may be busy with other things."""
import time


def wait_until(condition, timeout=30, what="it"):
    """Polls; returns the condition's first true value."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what} did not happen within {timeout} s"
        time.sleep(0.01)
