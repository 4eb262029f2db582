"""The daemon under valgrind: no invalid access, no use of what was never set, nothing lost. A whole
cycle, a stop in the middle of one, a stop after one.

The build without sanitizers is looked at, because both watch the same memory."""
import re

import pytest

from awssim import SIM_BUILD
from torture import LONG, dose
from waiting import wait_until

KINDS = "definite,indirect"
SLOW_S = 300
SMALL = dict(accounts=3, mixed=True, certs_per_region=2, regions="us-east-1,eu-west-1")
LARGER = dict(accounts=12, mixed=True, certs_per_region=6, regions="us-east-1,eu-west-1,eu-north-1")
only_long = pytest.mark.skipif(not LONG, reason="in the long dose")


class Watched:
    """A sensor over TLS whose daemon runs under valgrind."""

    def __init__(self, sensor, sim, folder):
        self.sensor, self._folder = sensor(sim, via="tls", build=SIM_BUILD), folder
        plain = self.sensor.command
        self.sensor.command = lambda *arguments: [
            "valgrind", f"--log-file={folder}/valgrind-%p.log", "--leak-check=full",
            f"--show-leak-kinds={KINDS}", f"--errors-for-leak-kinds={KINDS}",
            "--error-exitcode=99", *plain(*arguments)]

    def start(self):
        return self.sensor.start(within_s=SLOW_S)

    def expect_clean(self):
        logs = [log.read_text() for log in self._folder.glob("valgrind-*.log")]
        assert len(logs) == 1, logs
        assert re.search(r"ERROR SUMMARY: 0 errors", logs[0]), logs[0][-8000:]


@pytest.fixture
def watched(awssim, sensor, tmp_path):
    return lambda **flags: Watched(sensor, awssim(**flags), tmp_path)


def look_at_everything(daemon):
    assert daemon.certificates() and daemon.coverage() and daemon.events()
    assert daemon.status()["store"]["certificates"]
    assert daemon.get("/v1/certificate", q=next(iter(daemon.certificates())))["certificates"]
    assert daemon.request("GET", "/v1/certificates?expires=nonsense")[0] == 400


def test_stopped_in_the_middle_of_a_cycle(watched):
    one = watched(latency_ms=20, **dose(SMALL, LARGER))
    daemon = one.start()
    wait_until(lambda: any(entry["phase"] == "scan" for entry in daemon.progress()), SLOW_S,
               "a scan")
    daemon.status()
    code, _ = daemon.terminate()
    assert code == 0, daemon.log_text()[-4000:]
    one.expect_clean()


@only_long
def test_once(watched):
    one = watched(**LARGER)
    done = one.sensor.run("--once", timeout=SLOW_S)
    assert done.returncode in (0, 4), done.stderr[-6000:]
    one.expect_clean()


@only_long
def test_stopped_after_cycles(watched):
    one = watched(**LARGER)
    daemon = one.start()
    daemon.wait_idle(SLOW_S)
    daemon.sim.mutate("add", count=5)
    daemon.sim.mutate("renew", count=5)
    daemon.scan(SLOW_S)
    look_at_everything(daemon)
    code, _ = daemon.terminate()
    assert code == 0, daemon.log_text()[-4000:]
    one.expect_clean()
