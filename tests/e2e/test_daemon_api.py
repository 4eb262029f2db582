"""The daemon's local API: who may ask what, what it refuses, slow readers, waits, scans by hand."""
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

from acmsensor import Sensor, UnixConnection
from other_user import NOBODY, open_to_everybody, takes_root
from stopwatch import Stopwatch
from waiting import wait_until

SMALL = dict(accounts=4, regions="us-east-1,eu-west-1", certs_per_region=3, rate_scale=0)


def test_the_socket_is_for_the_owner_and_the_group(awssim, sensor):
    daemon = sensor(awssim(seed=43, **SMALL)).start()
    assert daemon.socket.stat().st_mode & 0o777 == 0o660
    # A stale socket is replaced, one that answers is not.
    daemon.kill()
    assert daemon.socket.exists()
    daemon.start()
    other = Sensor(daemon.folder / "other", daemon.sim)
    other.socket = daemon.socket
    other.configure({"prod": {}})
    answer = other.run()
    assert answer.returncode == 2 and "another acmsensord answers" in answer.stderr
    assert daemon.status()["sensor"]["pid"] == daemon.process.pid
    daemon.stop()
    daemon.socket.write_text("no socket")
    answer = daemon.run()
    assert answer.returncode == 2 and "no socket is there" in answer.stderr
    assert daemon.socket.read_text() == "no socket"


def test_what_the_api_refuses(awssim, sensor):
    daemon = sensor(awssim(seed=44, **SMALL)).start()
    daemon.wait_idle()
    for method, path, body, status, word in [
            ("GET", "/", None, 404, "path"), ("GET", "/v1/nothing", None, 404, "path"),
            ("POST", "/v1/status", "{}", 405, "GET"), ("PUT", "/v1/scan", "{}", 405, "POST"),
            ("DELETE", "/v1/certificates", None, 405, "GET"),
            ("GET", "/v1/scan", None, 405, "POST"),
            ("GET", "/v1/certificates?colour=red", None, 400, "colour"),
            ("GET", "/v1/certificates?expires=soon", None, 400, "expires"),
            ("GET", "/v1/certificates?account=%00", None, 400, "query"),
            ("GET", "/v1/certificates?format=xml", None, 400, "format"),
            ("GET", "/v1/events?wait_s=3600", None, 400, "wait_s"),
            ("GET", "/v1/certificate?q=none.example.org", None, 404, "no certificate"),
            ("POST", "/v1/scan", "[]", 400, "body"), ("POST", "/v1/scan", "{", 400, "body"),
            ("POST", "/v1/scan", '{"account": 5}', 400, "account"),
            ("POST", "/v1/scan", '{"account": "5"}', 400, "12 digits"),
            ("POST", "/v1/scan", '{"region": "MARS"}', 400, "region"),
            ("POST", "/v1/scan", '{"what": "x"}', 400, "members"),
            ("POST", "/v1/scan", '{"connector": "none"}', 400, 'there is no connector "none"; there is prod')]:
        got, text = daemon.request(method, path, body)
        assert got == status, (method, path, got, text)
        assert word in json.loads(text)["error"]["message"], (method, path, text)
    try:
        got, text = daemon.request("POST", "/v1/scan", "x" * 100000)
        assert got == 413 or got == 400, (got, text)
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused by its length, before all was said
    entry = daemon.scan(account="999999999999")
    assert entry["result"] == "failed" and "999999999999" in entry["error"]
    daemon.compare()


@takes_root
def test_another_user_may_read_but_not_change(awssim, sensor):
    daemon = sensor(awssim(seed=45, **SMALL)).start()
    daemon.wait_idle()
    open_to_everybody(daemon.folder)
    daemon.socket.chmod(0o666)
    script = (
        "import http.client, socket, sys\n"
        "def ask(method, path):\n"
        "    connection = http.client.HTTPConnection('localhost')\n"
        "    connection.sock = socket.socket(socket.AF_UNIX)\n"
        "    connection.sock.connect(sys.argv[1])\n"
        "    connection.request(method, path, body='{}' if method == 'POST' else None)\n"
        "    answer = connection.getresponse()\n"
        "    print(answer.status, answer.read().decode())\n"
        "ask('GET', '/v1/status')\nask('POST', '/v1/scan')\n")
    out = subprocess.run([sys.executable, "-c", script, str(daemon.socket)], user=NOBODY,
                         capture_output=True, text=True, timeout=30, check=True).stdout
    read, changed = [line for line in out.splitlines() if re.match(r"\d{3} ", line)]
    assert read.startswith("200 ") and changed.startswith("403 ")
    assert str(NOBODY) in changed
    assert not [e for e in daemon.events() if e["kind"] == "operator"]


def test_a_slow_reader_gets_everything_and_holds_up_nobody(awssim, sensor):
    sim = awssim(accounts=6, regions="us-east-1,eu-west-1", certs_per_region=60, seed=46,
                 rate_scale=0)
    daemon = sensor(sim).start()
    daemon.wait_idle()
    quick = daemon.request("GET", "/v1/certificates?format=ndjson")[1]
    assert len(quick) > 700000
    slow = socket.socket(socket.AF_UNIX)
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(str(daemon.socket))
    slow.sendall(b"GET /v1/certificates?format=ndjson HTTP/1.0\r\n\r\n")
    watch = Stopwatch(daemon.process.pid)
    for _ in range(20):
        daemon.status()
        slow.recv(512)
    assert watch.seconds() < 10
    # Somebody who asks and goes away in the middle costs nothing either.
    gone = socket.socket(socket.AF_UNIX)
    gone.connect(str(daemon.socket))
    gone.sendall(b"GET /v1/certificates HTTP/1.1\r\n\r\n")
    gone.recv(100)
    gone.close()
    received = b""
    while chunk := slow.recv(65536):
        received += chunk
    assert received.count(b'"arn"') >= quick.count('"arn"') - 20
    assert received.endswith(quick.splitlines()[-1].encode() + b"\n")
    lines = {json.loads(line)["arn"] for line in quick.splitlines()}
    assert lines == set(daemon.certificates())


def test_events_are_waited_for(awssim, sensor):
    daemon = sensor(awssim(seed=47, **SMALL)).start()
    daemon.wait_idle()
    last = daemon.events()[-1]["sequence"]
    begin = time.monotonic()
    assert daemon.events(**{"from": last + 1, "wait_s": 1}) == []
    assert time.monotonic() - begin >= 1
    heard = []
    waiter = threading.Thread(target=lambda: heard.extend(
        daemon.events(**{"from": last + 1, "wait_s": 30})))
    waiter.start()
    daemon.ask()
    waiter.join(20)
    assert heard and heard[0]["kind"] == "operator" and heard[0]["sequence"] == last + 1
    assert heard[0]["subject"] == f"uid {os.geteuid()}" and heard[0]["detail"] == "scan"
    # A wait does not hold up the end.
    threading.Thread(target=lambda: wait_quietly(daemon)).start()
    time.sleep(0.2)
    assert daemon.stop() < 2


def wait_quietly(daemon):
    try:
        UnixConnection(str(daemon.socket)).request("GET", "/v1/events?from=999999&wait_s=60")
    except OSError:
        pass


def test_scans_by_hand_join_wait_or_start(awssim, sensor):
    sim = awssim(accounts=5, regions="us-east-1,eu-west-1", seed=48, latency_ms=80, rate_scale=0)
    daemon = sensor(sim).start()
    wait_until(lambda: daemon.progress())
    running = daemon.progress()[0]["cycle_id"]
    account = sim.ready["hub_account_id"]
    joined = daemon.ask()["scans"]
    assert [(s["state"], s["cycle_id"]) for s in joined] == [("joined", running)]
    queued = daemon.ask(account=account, region="us-east-1")["scans"][0]
    again = daemon.ask(account=account, region="us-east-1")["scans"][0]
    assert queued["state"] == again["state"] == "queued"
    assert queued["cycle_id"] == again["cycle_id"]
    assert [e["phase"] for e in daemon.progress() if e["cycle_id"] == queued["cycle_id"]] == ["queued"]
    entries = daemon.wait_for([running, queued["cycle_id"]])
    part = entries[queued["cycle_id"]]
    assert part["result"] == "complete" and part["pairs_done"] == 1 and part["kind"] == "asked"
    assert daemon.ask(region="eu-west-1")["scans"][0]["state"] == "started"
    daemon.wait_idle()
    daemon.compare()
