"""The daemon's life: stop, restart, reload, and what systemd is told of it."""
import re
import select
import signal
import socket
import time

import pytest

from waiting import wait_until

SMALL = dict(accounts=4, regions="us-east-1,eu-west-1", certs_per_region=3, rate_scale=0)


@pytest.mark.parametrize("service", ["sts", "organizations", "account", "acm"])
def test_sigterm_ends_it_within_two_seconds_while_requests_are_stalled(awssim, sensor, service):
    sim = awssim(seed=38, **SMALL)
    sim.faults({"kind": "stall", "probability": 1, "service": service})
    daemon = sensor(sim).start()
    wait_until(lambda: sim.stats()["faults"] > 0)
    assert daemon.stop() < 2
    assert "Sanitizer" not in daemon.log_text()
    assert not daemon.socket.exists()


def test_a_second_signal_ends_it_at_once(awssim, sensor):
    daemon = sensor(awssim(seed=39, **SMALL)).start()
    daemon.signal(signal.SIGSTOP)  # both signals are there before it can look
    daemon.signal(signal.SIGTERM)
    daemon.signal(signal.SIGINT)
    daemon.signal(signal.SIGCONT)
    code = daemon.process.wait(5)
    daemon.process = None
    assert code in (0, 128 + signal.SIGINT, 128 + signal.SIGTERM)


def test_a_cycle_goes_on_after_kill_9_with_what_was_not_reached(awssim, sensor):
    sim = awssim(accounts=12, regions="us-east-1,eu-west-1", certs_per_region=4, seed=40,
                 rate_scale=0, latency_ms=40)
    daemon = sensor(sim, sensor_options="max_requests = 4").start()
    wait_until(lambda: daemon.progress()[0]["pairs_done"] >= 6)
    daemon.kill()
    sim.reset_stats()
    daemon.start()
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    daemon.compare()
    # Those that were done were not asked again.
    assert 0 < sim.stats()["operations"]["acm:ListCertificates"]["requests"] <= 24 - 6
    kinds = [event["kind"] for event in daemon.events()]
    assert kinds.count("sensor_started") == 2 and kinds.count("cycle_finished") == 1
    details = [event["detail"] for event in daemon.events() if event["kind"] == "cycle_started"]
    assert details == ["by schedule", "continued after a restart"]
    assert "is stale" not in daemon.log_text()


def test_reload_keeps_what_did_not_change_and_follows_what_did(awssim, sensor):
    sim = awssim(accounts=8, regions="us-east-1,eu-west-1", seed=41, rate_scale=0, latency_ms=50,
                 management_has_role=True)
    accounts = sorted(a["account_id"] for a in sim.truth(certificates=0)["accounts"])
    some, others = ",".join(accounts[:4]), ",".join(accounts[4:])
    slow = {"include_accounts": some}
    daemon = sensor(sim, connectors={"keep": slow, "old": {"include_accounts": others}},
                    sensor_options="max_requests = 2").start()
    wait_until(lambda: daemon.progress("keep") and daemon.progress("keep")[0]["pairs_done"] >= 1)
    running = daemon.progress("keep")[0]["cycle_id"]
    # A broken file is refused, and nothing happens.
    good = daemon.config.read_text()
    daemon.config.write_text(good + "nonsense = 1\n")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "result=refused" in daemon.log_text())
    assert "unknown option" in daemon.log_text()
    assert len(daemon.get("/v1/config")["config"]) and daemon.progress("old")
    # One connector goes, one comes, one stays in the middle of its cycle.
    daemon.configure({"keep": slow, "new": {"include_accounts": others, "regions": "us-east-1"}},
                     "max_requests = 2\nlog_level = debug\n")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "result=done" in daemon.log_text())
    assert daemon.progress("keep")[0]["cycle_id"] == running and not daemon.progress("old")
    entries = daemon.wait_idle()
    assert entries["keep"]["cycle_id"] == running
    assert {entry["result"] for entry in entries.values()} == {"complete"}
    wait_until(lambda: not daemon.coverage(connector="old"))
    assert {region for _, region in daemon.coverage(connector="new")
            if daemon.coverage(connector="new")[_, region]["state"] == "ok"} == {"us-east-1"}
    assert {one["connector"] for one in daemon.certificates().values()} == {"keep", "new"}
    # A connector that changes starts over with its new options.
    daemon.configure({"keep": {**slow, "regions": "eu-west-1"},
                      "new": {"include_accounts": others, "regions": "us-east-1"}},
                     "max_requests = 2\n")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: len(daemon.progress("keep")) == 2)
    daemon.wait_idle()
    row = daemon.coverage(connector="keep")[accounts[0], "us-east-1"]
    assert row["state"] == "excluded" and row["certificates"] is not None
    details = [e["detail"] for e in daemon.events() if e["kind"] == "operator"]
    assert details == ["reload refused", "reload", "reload"]


def test_a_connector_that_changes_in_mid_cycle_finishes_it_and_starts_over(awssim, sensor):
    sim = awssim(accounts=6, regions="us-east-1,eu-west-1", seed=52, rate_scale=0, latency_ms=60)
    daemon = sensor(sim, sensor_options="max_requests = 3").start()
    wait_until(lambda: daemon.progress() and daemon.progress()[0]["pairs_done"] >= 1)
    first = daemon.progress()[0]["cycle_id"]
    daemon.configure({"prod": {"regions": "us-east-1"}}, "max_requests = 4\nmax_open = 100\n")
    text = daemon.config.read_text()
    daemon.config.write_text(text.replace("name = e2e", "name = other"))
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "result=done" in daemon.log_text())
    for option in ("name", "max_requests"):
        assert f"reload option={option} " in daemon.log_text()
    # What does not hold yet is said.
    wait_until(lambda: "reload connector name=prod result=waits" in daemon.log_text())
    assert daemon.get("/v1/status")["status"]["connectors"][0]["changes_after_cycle"]
    assert daemon.progress()[0]["cycle_id"] == first and not daemon.progress()[0]["result"]
    wait_until(lambda: len(daemon.progress()) == 2)
    entries = daemon.progress()
    assert entries[0]["cycle_id"] == first and entries[0]["result"] == "complete"
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    assert not daemon.get("/v1/status")["status"]["connectors"][0]["changes_after_cycle"]
    assert "swap connector name=prod" in daemon.log_text()
    states = {region: row["state"] for (_, region), row in daemon.coverage().items()}
    assert states == {"us-east-1": "ok", "eu-west-1": "excluded"}


# --- systemd


@pytest.fixture
def systemd(tmp_path):
    """A socket in place of systemd's; next() waits until a message has a text, and returns it."""
    told = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(told))
        listener.settimeout(20)

        class Systemd:
            path = str(told)

            def next(self, text):
                while True:
                    heard = listener.recv(4096).decode()
                    if text in heard:
                        return heard

            def drain(self):
                """What is there already."""
                heard = []
                while select.select([listener], [], [], 0.05)[0]:
                    heard.append(listener.recv(4096).decode())
                return heard
        yield Systemd()


def test_systemd_is_told_about_start_reload_and_stop(awssim, sensor, systemd):
    daemon = sensor(awssim(seed=42, **SMALL)).start(NOTIFY_SOCKET=systemd.path)
    systemd.next(f"STATUS=opening the store in {daemon.data_dir}")
    systemd.next("READY=1")
    daemon.signal(signal.SIGHUP)
    systemd.next("RELOADING=1\nMONOTONIC_USEC=")
    systemd.next("READY=1")
    daemon.stop()
    systemd.next("STOPPING=1")


def test_systemd_is_told_how_far_a_cycle_is(awssim, sensor, systemd):
    # One call at a time, each of a quarter of a second: the cycle is looked at in its middle.
    sim = awssim(seed=42, latency_ms=250, **SMALL)
    daemon = sensor(sim, sensor_options="max_requests = 1").start(NOTIFY_SOCKET=systemd.path)
    first = systemd.next("STATUS=prod: cycle, ")
    assert "reading the organization" in first or "account-regions" in first
    numbers = [re.search(r"cycle, (\d+) of (\d+) account-regions",
                         systemd.next("account-regions")) for _ in range(2)]
    assert numbers[0].groups() != numbers[1].groups()
    assert int(numbers[0][1]) <= int(numbers[1][1])
    sim.faults(latency_ms=0)
    systemd.next("STATUS=idle; next cycle of prod at 20")
    daemon.stop()


def test_the_watchdog_hears_from_the_loop_and_nothing_when_it_stalls(awssim, sensor, systemd):
    daemon = sensor(awssim(seed=42, **SMALL)).start(
        NOTIFY_SOCKET=systemd.path, WATCHDOG_USEC="400000")
    daemon.wait_idle()
    began = time.monotonic()
    for _ in range(5):
        assert systemd.next("WATCHDOG=1") == "WATCHDOG=1"
    assert time.monotonic() - began < 5
    daemon.signal(signal.SIGSTOP)
    systemd.drain()
    time.sleep(1)
    assert systemd.drain() == []
    daemon.signal(signal.SIGCONT)
    systemd.next("WATCHDOG=1")
