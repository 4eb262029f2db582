"""Clients of the local API that are slow, mad or many, while the daemon works: it serves the
others, goes on scanning and forgets them without a trace."""
import json
import socket
import subprocess
import time

from stopwatch import Stopwatch
from torture import (HAS_SANITIZER, ONE_ACCOUNT, clean_scan, cpu_seconds, descriptors, dice, dose,
                     memory_bytes, stop_at_once)
from waiting import wait_until

# Far more than the buffers of a socket hold: about half a megabyte of certificates.
LARGE = dict(accounts=24, units=0, regions="us-east-1,eu-west-1", certs_per_region=9, rate_scale=0)
HEAD = b"Host: localhost\r\n"
PATIENCE_S = 1.0 if HAS_SANITIZER else 0.5  # of other clients


class Client:
    """A client that does as it likes with its connection."""

    def __init__(self, daemon, sends=b"", timeout=10):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(daemon.socket))  # waits while the daemon's queue is full
        self.socket.settimeout(timeout)
        try:
            self.socket.sendall(sends)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was said

    def ask(self, path, version="1.1", more=b""):
        self.socket.sendall(b"GET %s HTTP/%s\r\n%s%s\r\n" % (
            path.encode(), version.encode(), HEAD, more))
        return self

    def read_all(self):
        """Until the daemon closes."""
        parts = []
        try:
            while part := self.socket.recv(65536):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)

    def status(self):
        head = self.socket.recv(64)
        return int(head.split()[1]) if head else None

    def close(self):
        self.socket.close()


def expect_prompt(daemon, what):
    """Another client is served without waiting for anybody."""
    watch = Stopwatch(daemon.process.pid)
    daemon.get("/v1/progress")
    took = watch.seconds()
    assert took < PATIENCE_S, (what, took)


def expect_no_trace(daemon, before):
    wait_until(lambda: descriptors(daemon.process.pid) <= before, 10, "closing")


def started(awssim, sensor, flags=None):
    """LARGE, or one small account."""
    sim = awssim(seed=31, **(flags or ONE_ACCOUNT))
    daemon = sensor(sim, scope="organization" if flags else "account").start()
    daemon.wait_idle()
    return sim, daemon


def test_slow_readers_hold_up_neither_scans_nor_others(awssim, sensor):
    sim, daemon = started(awssim, sensor, LARGE)
    before = descriptors(daemon.process.pid)
    whole = daemon.request("GET", "/v1/certificates")[1]
    slow = [Client(daemon).ask("/v1/certificates", version="1.0") for _ in range(8)]
    read = [b"" for _ in slow]
    for _ in range(dose(2, 20)):
        for i, client in enumerate(slow):
            read[i] += client.socket.recv(1)
        sim.mutate("add", count=3)
        assert clean_scan(daemon)["result"] == "complete"
        expect_prompt(daemon, "a slow reader")
        assert len(daemon.certificates()) > 0
    daemon.compare()
    # Whoever begins to read gets it all, in one piece; whoever goes is forgotten.
    text = (read[0] + slow[0].read_all()).split(b"\r\n\r\n", 1)[1]
    found = {one["arn"] for one in json.loads(text)["certificates"]}
    assert {one["arn"] for one in json.loads(whole)["certificates"]} <= found
    for client in slow:
        client.close()
    expect_no_trace(daemon, before)
    stop_at_once(daemon)


def garbage(random):
    """Name, bytes, and the statuses that may come back; None: the connection may just end."""
    refused = (400, None)
    big = (400, 413, None)
    post = b"POST /v1/scan HTTP/1.1\r\n" + HEAD
    return [
        ("noise", random.randbytes(4096) + b"\r\n\r\n", refused),
        ("empty lines", b"\r\n" * 5000, refused),
        ("no version", b"GET /v1/status\r\n\r\n", refused),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", refused),
        ("huge header", b"GET /v1/status HTTP/1.1\r\nX: " + b"a" * 500000 + b"\r\n\r\n", big),
        ("many headers", b"GET /v1/status HTTP/1.1\r\n" + b"X: y\r\n" * 50000 + b"\r\n", big),
        ("huge line", b"GET /" + b"a" * 500000 + b" HTTP/1.1\r\n\r\n", big),
        ("huge body", post + b"Content-Length: 99999999999\r\n\r\n" + b"{" * 200000, big),
        ("length -5", post + b"Content-Length: -5\r\n\r\n{}", refused),
        ("length beyond", post + b"Content-Length: 99999999999999999999999\r\n\r\n{}", big),
        ("huge chunk", post + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}", big),
        ("not a chunk", post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", big),
        ("deep JSON", post + b"Content-Length: 60000\r\n\r\n" + b"[" * 60000, (400,)),
        ("array", post + b"Content-Length: 2\r\n\r\n[]", (400,)),
        ("wrong member", post + b"Content-Length: 9\r\n\r\n{\"acc\":1}", (400,)),
        ("wrong type", post + b"Content-Length: 13\r\n\r\n{\"account\":1}", (400,)),
        ("no account", post + b"Content-Length: 17\r\n\r\n{\"account\":\"../\"}", (400,)),
        ("other path", b"GET /v1/../../etc/passwd HTTP/1.1\r\n" + HEAD + b"\r\n", (404,)),
        ("other method", b"DELETE /v1/status HTTP/1.1\r\n" + HEAD + b"\r\n", (405,)),
        ("NUL", b"GET /v1/certificates?domain=a%00b HTTP/1.1\r\n" + HEAD + b"\r\n", (400,)),
        ("not UTF-8", b"GET /v1/certificates?domain=%ff HTTP/1.1\r\n" + HEAD + b"\r\n", (400,)),
        ("parameters", b"GET /v1/events?" + b"a=1&" * 5000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
         (400,)),
        ("limit", b"GET /v1/events?limit=99999999999999999999 HTTP/1.1\r\n" + HEAD + b"\r\n",
         (400,)),
    ]


def test_garbage_is_refused_and_leaves_no_trace(awssim, sensor):
    _, daemon = started(awssim, sensor)
    before = descriptors(daemon.process.pid)
    for name, sends, statuses in garbage(dice("garbage")):
        client = Client(daemon, sends)
        try:
            status = client.status()
        except ConnectionResetError:
            status = None
        assert status in statuses, (name, status)
        client.close()
        expect_prompt(daemon, name)
    expect_no_trace(daemon, before)
    assert clean_scan(daemon)["result"] == "complete"
    stop_at_once(daemon)


def test_half_requests_wait_without_harm(awssim, sensor):
    _, daemon = started(awssim, sensor)
    before = descriptors(daemon.process.pid)
    whole = b"POST /v1/scan HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\n\r\n{}"
    halves = [Client(daemon, whole[:n]) for n in range(0, len(whole), dose(5, 1))]
    expect_prompt(daemon, "half a request")
    assert clean_scan(daemon)["result"] == "complete"
    # One that goes on is answered as if nothing had been.
    halves[-1].socket.sendall(whole[range(0, len(whole), dose(5, 1))[-1]:])
    assert halves[-1].status() == 202
    for client in halves:
        client.close()
    expect_no_trace(daemon, before)
    stop_at_once(daemon)


def test_two_hundred_connections_at_once(awssim, sensor):
    _, daemon = started(awssim, sensor)
    pid, before = daemon.process.pid, descriptors(daemon.process.pid)
    for path in ("/v1/progress", "/v1/certificates", "/v1/events?wait_s=30&from=100000"):
        clients = [Client(daemon) for _ in range(200)]
        expect_prompt(daemon, "200 connections")
        for client in clients:
            client.ask(path)
        expect_prompt(daemon, f"200 times {path}")
        if "wait" not in path:
            # Some may be told that there are too many; all are told something.
            assert {client.status() for client in clients} <= {200, 503}
        for client in clients:
            client.close()
        expect_no_trace(daemon, before)
    assert clean_scan(daemon)["result"] == "complete"
    assert daemon.status()["sensor"]["pid"] == pid
    stop_at_once(daemon)


def test_more_connections_than_descriptors(awssim, sensor):
    _, daemon = started(awssim, sensor)
    pid, before = daemon.process.pid, descriptors(daemon.process.pid)
    subprocess.run(["prlimit", "--nofile=100", "--pid", str(pid)], check=True)
    clients = [Client(daemon) for _ in range(150)]
    wait_until(lambda: descriptors(pid) >= 99, 10, "the flood")
    written, cpu = daemon.log.stat().st_size, cpu_seconds(pid)
    time.sleep(1.5)  # what a second of being full costs is what is measured
    assert cpu_seconds(pid) - cpu < 0.5, "it spins"
    assert daemon.log.stat().st_size - written < 4096, daemon.log_text()[-1000:]
    assert "too many" in daemon.log_text().lower()
    for client in clients:
        client.close()
    expect_no_trace(daemon, before)
    assert clean_scan(daemon)["result"] == "complete"
    stop_at_once(daemon)


def test_clients_that_come_and_go_cost_nothing_that_stays(awssim, sensor):
    _, daemon = started(awssim, sensor, LARGE)
    pid, random = daemon.process.pid, dice("come and go")
    paths = ["/v1/status", "/v1/certificates", "/v1/events?wait_s=60&from=99999", "/v1/coverage",
             "/v1/accounts", "/v1/config", "/v1/certificate?q=nothing.example"]

    def rush(rounds):
        for _ in range(rounds):
            path = random.choice(paths)
            client = Client(daemon).ask(path)
            if "wait_s" not in path and random.random() < 0.7:
                client.socket.recv(random.choice([1, 1000, 100000]))
            client.close()
        expect_prompt(daemon, "many that left")

    rush(dose(100, 500))
    before, held = descriptors(pid), memory_bytes(pid)
    rush(dose(400, 5000))
    expect_no_trace(daemon, before)
    # A sanitizer keeps what was freed for a while.
    assert memory_bytes(pid) - held < ((400 if HAS_SANITIZER else 4) << 20)
    stop_at_once(daemon)
