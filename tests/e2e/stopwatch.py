"""How long something takes, on a machine that may be busy with other things.

    watch = Stopwatch(daemon.process.pid)
    ...
    assert watch.seconds() < 2
"""
import os
import pathlib
import time


def waited_s(pid):
    """How long the threads of the process were ready to run and had to wait for a CPU."""
    waited_ns = 0
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            waited_ns += int(path.read_text().split()[1])
        except OSError:
            pass  # the thread has ended
    return waited_ns / 1e9


class Stopwatch:
    """The time since it was made, less what the given processes and this one waited for a CPU:
    that is the machine's fault, not theirs."""

    def __init__(self, *pids):
        self._pids = [os.getpid(), *pids]
        self._waited_s = self._all_waited_s()
        self._begin = time.monotonic()

    def _all_waited_s(self):
        return sum(waited_s(pid) for pid in self._pids)

    def seconds(self):
        """The processes may have ended, but must not have been waited for."""
        wall_s = time.monotonic() - self._begin
        return max(0, wall_s - max(0, self._all_waited_s() - self._waited_s))
