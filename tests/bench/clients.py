"""Runs what is measured: acmsensord, acmsensor, the boto3 script; and looks at a running one."""
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

from acmsensor import Sensor
from awssim import BUILD

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"  # the one that has boto3
RUN_MAX_S = 1800
REST_S = 10  # longer than the pause before the next look at alerts, with all there is


@dataclasses.dataclass
class Run:
    wall_s: float
    cpu_s: float  # user and system, of the process alone
    code: int
    output: bytes


def run(command, environment):
    """Runs to the end; standard output is collected."""
    begin = time.monotonic()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        timer = threading.Timer(RUN_MAX_S, process.kill)
        timer.start()
        errors = []
        reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
        reader.start()
        output = process.stdout.read()
        reader.join()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - begin
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 4):
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: "
                           f"{errors[0].decode(errors='replace')[-4000:]}")
    return Run(wall_s, usage.ru_utime + usage.ru_stime, process.returncode, output)


class Peer:
    def __init__(self, sim, folder, threads, retries="standard", via="proxy"):
        self.sim, self.threads, self.retries, self.via = sim, threads, retries, via
        self.output = folder / "peer.json"

    def once(self):
        """(run, inventory)"""
        environment = self.sim.environment(via=self.via, AWS_STS_REGIONAL_ENDPOINTS="regional")
        command = [PYTHON, str(HERE / "boto3_inventory.py"), "--threads", str(self.threads),
                   "--role-name", self.sim.ready["role_name"], "--retries", self.retries,
                   "--output", str(self.output)]
        if self.via == "proxy":
            command += ["--proxy", self.sim.ready["proxy_url"]]
        else:
            command += ["--endpoint-url", self.sim.endpoint(self.via)]
        done = run(command, environment)
        return done, json.loads(self.output.read_text())


class Daemon(Sensor):
    """via: "tls", one endpoint for all, or "proxy": TLS under the real host names, as in life."""

    def __init__(self, folder, sim, via="proxy"):
        super().__init__(folder, sim, via=via)

    def once(self):
        """(run, certificates, coverage) of acmsensord --once."""
        done = run(self.command("--once"), self.environment())
        certificates = self.offline("certs")["certificates"]
        coverage = self.offline("coverage")["coverage"]
        return (done, {one["arn"]: one for one in certificates},
                {(one["account_id"], one["region"]): one for one in coverage})

    def offline(self, *arguments):
        done = run([str(BUILD / "acmsensor"), "--offline", str(self.data_dir), "-o", "json",
                    *arguments], self.environment())
        return json.loads(done.output)

    def cli(self, *arguments):
        return run([str(BUILD / "acmsensor"), "--socket", str(self.socket), "-o", "json",
                    *arguments], self.environment())

    def has_ended(self, cycle_ids):
        ended = {entry["cycle_id"] for entry in self.progress() if entry["result"]}
        return set(cycle_ids) <= ended

    def store(self):
        return self.status()["store"]

    def rested_store(self):
        """Once the look at alerts that a cycle brings about has been made and written."""
        records, since = -1, time.monotonic()
        while records < 0 or time.monotonic() < since + REST_S:
            status = self.status()
            now = status["store"]["records_written"]
            if now != records or not status["alerts"]["looked"]:
                records, since = now, time.monotonic()
            time.sleep(0.2)
        return status["store"]

    def stall_ms(self):
        """The loop's longest stall since the daemon started."""
        return self.status()["sensor"]["longest_stall_ms"]

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2]
        ticks = fields.split()
        return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


def anonymous_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))


def run_time_ns(pid):
    """What all its threads that live have run; to the nanosecond, unlike /proc/PID/stat."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


class Watch:
    """Peak anonymous memory and descriptors of a process, looked at 20 times a second."""

    EVERY_S = 0.05

    def __init__(self, pid):
        self.pid = pid
        self.anonymous_kb = self.descriptors = self.readable = 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.loop)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()

    def loop(self):
        while not self.stopped.wait(self.EVERY_S):
            try:
                self.look()
            except (FileNotFoundError, ProcessLookupError):
                return

    def look(self):
        self.anonymous_kb = max(self.anonymous_kb, anonymous_kb(self.pid))
        self.descriptors = max(self.descriptors, len(os.listdir(f"/proc/{self.pid}/fd")))


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)
