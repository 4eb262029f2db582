"""The daemon under valgrind: no invalid access, nothing lost; a cycle, and a stop in the middle of one.

The build without sanitizers is looked at, because both watch the same memory."""
import os
import pathlib
import re
import time

import pytest

from acmsensor import BUILD

RELEASE = pathlib.Path(os.environ.get("AWSSIM_BUILD", BUILD))
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
            "--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect"]
SLOW_S = 300


@pytest.fixture
def watched(awssim, sensor):
    """A sensor whose daemon runs under valgrind, with a small organization over TLS."""
    def make(**flags):
        sim = awssim(accounts=5, mixed=True, certs_per_region=3, regions="us-east-1,eu-west-1",
                     **flags)
        one = sensor(sim, via="tls", build=RELEASE)
        plain = one.command
        one.command = lambda *arguments: [*VALGRIND, *plain(*arguments)]
        return one

    return make


def no_complaint(text):
    return re.search(r"^==\d+==", text, re.M) is None


def test_once(watched):
    done = watched().run("--once", timeout=SLOW_S)
    assert done.returncode in (0, 4), done.stderr[-6000:]
    assert no_complaint(done.stderr), done.stderr[-6000:]


@pytest.mark.parametrize("is_in_mid_cycle", [True, False])
def test_stop(watched, is_in_mid_cycle):
    one = watched(latency_ms=20)
    one.start(wait=False)
    end = time.monotonic() + SLOW_S
    while not one.socket.exists():
        assert time.monotonic() < end
        time.sleep(0.1)
    if is_in_mid_cycle:
        while not any(entry["phase"] == "scan" for entry in one.progress()):
            assert time.monotonic() < end
            time.sleep(0.02)
    else:
        one.wait_idle(SLOW_S)
        assert one.certificates()
    one.stop()
    assert no_complaint(one.log_text()), one.log_text()[-6000:]
