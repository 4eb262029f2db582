"""Runs the real acmsensord against awssim and compares its inventory with the truth.

    sensor = Sensor(tmp_path, sim)
    sensor.start(); sensor.scan(); sensor.compare(); sensor.stop()

The programs come from the same folder as awssim (ACMSENSOR_BUILD).
"""
import http.client
import json
import os
import signal
import socket
import subprocess
import time
import urllib.parse

from awssim import BUILD
from stopwatch import Stopwatch

START_S = 30
STOP_S = 20
CYCLE_S = 100
# What the inventory tells and the truth knows; both in the same words.
FACTS = ["account_id", "region", "domain_name", "status", "type", "key_algorithm", "not_before",
         "not_after", "created_at", "issued_at", "imported_at", "revoked_at", "in_use", "exported",
         "export_option", "renewal_eligibility", "renewal_status", "managed_by",
         "validation_method", "key_pair_origin", "tags", "serial", "fingerprint_sha256",
         "signature_algorithm"]
LISTS = ["subject_alternative_names", "in_use_by"]
# What ListCertificates alone tells, of a certificate whose details cannot be read.
LISTED_FACTS = ["account_id", "region", "domain_name", "status", "type", "not_after", "in_use"]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Sensor:
    """One configuration, data directory and (perhaps running) daemon."""

    def __init__(self, folder, sim, via="http", connectors=None, sensor_options="", build=BUILD,
                 **options):
        """options: of the one connector "prod"; connectors: {name: {option: value}} instead."""
        self.build = build
        self.folder = folder / "sensor"
        self.folder.mkdir(parents=True)
        self.sim, self.via = sim, via
        self.data_dir = self.folder / "data"
        self.socket = self.folder / "control.sock"
        self.config = self.folder / "acmsensor.conf"
        self.log = self.folder / "acmsensord.log"
        self.process = None
        self.configure(connectors or {"prod": options}, sensor_options)

    def configure(self, connectors, sensor_options=""):
        text = (f"[sensor]\nname = e2e\ndata_dir = {self.data_dir}\n"
                f"control_socket = {self.socket}\n{sensor_options}\n")
        for name, options in connectors.items():
            text += f"[connector {name}]\n"
            for key, value in {**self.defaults(), **options}.items():
                if value is not None:
                    text += f"{key} = {value}\n"
        self.config.write_text(text)

    def defaults(self):
        ready = self.sim.ready
        options = {"region": ready["home_region"], "role_name": ready["role_name"],
                   "external_id": ready["external_id"], "import": "all", "interval": "1h"}
        if self.via == "proxy":
            options["proxy"] = ready["proxy_url"]
        else:
            options["endpoint_url"] = self.sim.endpoint(self.via)
        if self.via != "http":
            options["ca_bundle"] = ready["ca_file"]
        return options

    def environment(self, **more):
        environment = self.sim.environment(via="http")
        del environment["AWS_ENDPOINT_URL"]
        environment.update(more)
        return environment

    def command(self, *arguments):
        return [str(self.build / "acmsensord"), "-c", str(self.config), *arguments]

    def run(self, *arguments, timeout=CYCLE_S, **more):
        """The program in the foreground: --once, --check; returns the completed process."""
        return subprocess.run(self.command(*arguments), env=self.environment(**more),
                              capture_output=True, text=True, timeout=timeout)

    # --- the daemon

    def start(self, wait=True, user=None, within_s=START_S, **more):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), env=self.environment(**more),
                                            user=user, stdout=log, stderr=log)
        end = time.monotonic() + within_s
        while wait:
            assert self.process.poll() is None, self.log_text()
            assert time.monotonic() < end, self.log_text()
            try:
                self.get("/v1/progress")
                return self
            except (ConnectionError, FileNotFoundError):
                time.sleep(0.01)
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def terminate(self):
        """SIGTERM; (exit code, how long it took)."""
        process, end = self.process, time.monotonic() + STOP_S
        watch = Stopwatch(process.pid)
        process.terminate()
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if time.monotonic() > end:
                process.send_signal(signal.SIGABRT)
                process.wait()
                raise AssertionError("did not stop: " + self.log_text()[-4000:])
            time.sleep(0.002)
        took, self.process = watch.seconds(), None
        return process.wait(), took

    def stop(self, code=0):
        """SIGTERM, which must end in the code; returns how long it took."""
        ended_with, took = self.terminate()
        assert ended_with == code, (ended_with, self.log_text()[-6000:])
        return took

    def log_text(self):
        return self.log.read_text(errors="replace")

    # --- the local API

    def request(self, method, path, body=None, headers=None):
        """(status, text)"""
        connection = UnixConnection(str(self.socket))
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def get(self, path, **query):
        query = {key: value for key, value in query.items() if value is not None}
        status, text = self.request("GET", path + ("?" + urllib.parse.urlencode(query)
                                                   if query else ""))
        assert status == 200, (path, status, text)
        return json.loads(text)

    def status(self):
        return self.get("/v1/status")["status"]

    def progress(self, connector=None):
        entries = self.get("/v1/progress")["progress"]
        return [entry for entry in entries if connector in (None, entry["connector"])]

    def certificates(self, **query):
        return {one["arn"]: one for one in self.get("/v1/certificates", **query)["certificates"]}

    def coverage(self, **query):
        return {(one["account_id"], one["region"]): one
                for one in self.get("/v1/coverage", **query)["coverage"]}

    def events(self, **query):
        return self.get("/v1/events", **query)["events"]

    def ask(self, **what):
        status, text = self.request("POST", "/v1/scan", body=json.dumps(what))
        assert status == 202, (status, text)
        return json.loads(text)["scan"]

    def wait_for(self, cycle_ids, timeout=CYCLE_S):
        """The progress entries of ended cycles, by id."""
        end = time.monotonic() + timeout
        while True:
            entries = {entry["cycle_id"]: entry for entry in self.progress()}
            if all(i in entries and entries[i]["result"] for i in cycle_ids):
                return {i: entries[i] for i in cycle_ids}
            assert time.monotonic() < end, (entries, self.log_text()[-4000:])
            assert self.process.poll() is None, self.log_text()[-6000:]
            time.sleep(0.02)

    def scan(self, timeout=CYCLE_S, **what):
        """Asks and waits; returns the entry of the (one) cycle."""
        ids = self.ask(**what)["cycle_ids"]
        return list(self.wait_for(ids, timeout).values())[0]

    def wait_idle(self, timeout=CYCLE_S):
        """Until every cycle that was started or asked for has ended; the newest entry of each
        connector."""
        end = time.monotonic() + timeout
        while True:
            entries = self.progress()
            if entries and all(entry["result"] for entry in entries):
                return {entry["connector"]: entry for entry in entries}
            assert time.monotonic() < end, (entries, self.log_text()[-4000:])
            assert self.process.poll() is None, self.log_text()[-6000:]
            time.sleep(0.02)

    # --- the truth

    def compare(self, truth=None, listed_regions=False):
        """The whole inventory against the truth: every certificate, fact and coverage state."""
        truth = truth or self.sim.truth(reachable=1)
        compare_coverage(self.coverage(), truth, listed_regions)
        compare_certificates(self.certificates(), truth)


def truth_coverage(truth, listed_regions=False):
    name = "coverage_of_listed_regions" if listed_regions else "coverage"
    return {(account["account_id"], one["region"]): one
            for account in truth["accounts"] for one in account[name]}


def compare_coverage(found, truth, listed_regions=False):
    expected = truth_coverage(truth, listed_regions)
    states = {pair: one["state"] for pair, one in found.items()}
    assert states == {pair: one["state"] for pair, one in expected.items()}
    for pair, one in expected.items():
        if one["state"] == "ok":
            assert found[pair]["certificates"] == one["certificates"], pair
            assert found[pair]["last_success"], pair
        else:
            assert found[pair]["reason"], pair


def compare_certificates(found, truth):
    expected = {one["arn"]: one for one in truth["certificates"]}
    assert set(found) == set(expected)
    for arn, one in expected.items():
        compare_certificate(found[arn], one)


def compare_certificate(found, expected):
    if expected["describe_fails"] or expected["get_fails"]:
        assert found["detail_error"], expected
        names = LISTED_FACTS
    else:
        assert found["detail_error"] is None, found
        names = FACTS
        for name in LISTS:
            assert sorted(found[name]) == sorted(expected[name]), (name, found, expected)
    for name in names:
        if name in ("serial", "fingerprint_sha256", "signature_algorithm") and \
                not expected["has_pem"]:
            continue
        assert found[name] == expected[name], (name, found[name], expected[name], expected)
