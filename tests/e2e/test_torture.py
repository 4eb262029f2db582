"""What must not happen whatever happens: the daemon is signalled and kept running for a long
time; its store always opens, its events have no gap and its inventory becomes the truth."""
import json
import os
import signal
import subprocess
import time

import pytest

from awssim import BUILD
from torture import (HAS_SANITIZER, ONE_ACCOUNT, Mounts, all_events, check_store,
                     clean_scan, compare_one_account, descriptors, dice, dose, fold_events,
                     memory_bytes, stop_at_once)
from waiting import wait_until

SMALL = dict(accounts=8, units=0, regions="us-east-1,eu-west-1", certs_per_region=4, rate_scale=0)


def test_sigterm_at_any_instant_ends_well(awssim, sensor):
    sim = awssim(seed=23, **SMALL)
    daemon = sensor(sim)
    random, untold = dice("sigterm"), 0
    for n in range(dose(9, 150)):
        sim.mutate("add", count=2)
        daemon.start(wait=False)
        time.sleep(random.uniform(0, 0.1 if n % 3 == 0 else 1.2))
        code, took = daemon.terminate()
        assert took < (4 if HAS_SANITIZER else 2)
        # Before the daemon has looked at its configuration a signal ends it as any program.
        has_begun = daemon.log.read_bytes().count(b"start sensor") > n - untold
        untold += not has_begun
        assert code == 0 or (code == -signal.SIGTERM and not has_begun), (code, daemon.log_text())
    daemon.start()
    clean_scan(daemon)
    daemon.compare()
    stop_at_once(daemon)
    assert "store_restored" not in {event["kind"] for event in offline_events(daemon)}


def offline_events(daemon):
    daemon.start()
    events = all_events(daemon)
    daemon.stop()
    return events


@pytest.mark.parametrize("kind", dose(["dead"], ["stall", "dead", "slow", "refuse"]))
def test_sigterm_while_no_endpoint_answers(awssim, sensor, kind):
    sim = awssim(seed=24, **SMALL)
    daemon = sensor(sim, via="proxy").start()
    clean_scan(daemon)
    sim.faults({"kind": kind, "probability": 1, "ms": 500})
    daemon.ask()
    wait_until(lambda: daemon.progress()[-1]["phase"] in ("organization", "scan"))
    time.sleep(0.3)  # so that requests are in flight
    stop_at_once(daemon)


def test_sigterm_while_the_name_server_is_silent(awssim, sensor, tmp_path):
    """A resolver that waits for its answer cannot be interrupted, and must not be waited for."""
    mounts = Mounts()
    try:
        resolv = tmp_path / "resolv.conf"
        resolv.write_text("nameserver 192.0.2.1\noptions timeout:30 attempts:5\n")
        mounts.run("mount", "--bind", str(resolv), "/etc/resolv.conf",
                   what="this test needs to mount over /etc/resolv.conf in its own namespace")
        sim = awssim(seed=25, **SMALL)
        daemon = sensor(sim, endpoint_url="http://aws.silent.example:1234")
        command = daemon.command
        daemon.command = lambda *arguments: [*mounts.prefix(), *command(*arguments)]
        daemon.start()
        wait_until(lambda: daemon.progress())
        time.sleep(0.3)
        assert daemon.progress()[0]["result"] is None
        stop_at_once(daemon)
    finally:
        mounts.close()


def test_a_host_that_was_suspended_in_mid_cycle_goes_on(awssim, sensor):
    sim = awssim(seed=29, **SMALL, latency_ms=20)
    daemon = sensor(sim, answer_timeout="2s").start()
    wait_until(lambda: daemon.progress() and daemon.progress()[0]["phase"] == "scan")
    daemon.signal(signal.SIGSTOP)
    time.sleep(dose(2.5, 20))  # longer than an answer may take
    daemon.signal(signal.SIGCONT)
    assert clean_scan(daemon)["result"] == "complete"
    daemon.compare()
    stop_at_once(daemon)


def replace_configuration(daemon, options):
    """At once, as editors do; None: there is none."""
    if options is None:
        daemon.config.unlink(missing_ok=True)
        return
    place = daemon.config
    daemon.config = place.with_suffix(".new")
    if options == "empty":
        daemon.config.write_text("")
    else:
        daemon.configure({"prod": options})
    os.replace(daemon.config, place)
    daemon.config = place


def test_a_configuration_that_lost_its_connectors_forgets_nothing(awssim, sensor):
    """A file that is empty or cut is a mistake far more often than a wish."""
    sim = awssim(seed=30, **SMALL)
    daemon = sensor(sim).start()
    clean_scan(daemon)
    known = daemon.certificates()
    replace_configuration(daemon, "empty")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "result=refused" in daemon.log_text())
    assert "no connector" in daemon.log_text()
    assert clean_scan(daemon)["result"] == "complete"
    stop_at_once(daemon)
    socket = f"[sensor]\ndata_dir = {daemon.data_dir}\ncontrol_socket = {daemon.socket}\n"
    daemon.config.write_text(socket)
    daemon.start()
    assert daemon.certificates().keys() == known.keys() and daemon.coverage()
    assert "no connector is configured" in str(daemon.status()["attention"])
    stop_at_once(daemon)
    replace_configuration(daemon, {})
    daemon.start()
    clean_scan(daemon)
    daemon.compare()
    assert not {event["kind"] for event in daemon.events()} & {"certificate_gone", "account_gone"}
    stop_at_once(daemon)


def test_sighup_storm_during_scans(awssim, sensor):
    sim = awssim(seed=26, **SMALL, latency_ms=5)
    daemon = sensor(sim).start()
    clean_scan(daemon)
    random, pid = dice("sighup"), daemon.process.pid
    variants = [{}, {"import": "valid"}, {"regions": "us-east-1"}, {"interval": "2h"},
                {"role_name": "no role"}, {"nonsense": "1"}, None, "empty"]
    before = descriptors(pid)
    for n in range(dose(60, 1500)):
        if n % 10 == 0:
            daemon.ask()
        variant = random.choice(variants)
        replace_configuration(daemon, variant)
        for _ in range(random.randrange(1, 5)):
            daemon.signal(signal.SIGHUP)
        time.sleep(random.uniform(0, 0.03))
        assert daemon.process.poll() is None, daemon.log_text()[-3000:]
    for outcome in ("done", "refused"):
        assert f"reload configuration result={outcome}" in daemon.log_text()
    replace_configuration(daemon, {"interval": "3h"})
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "3h" in json.dumps(daemon.get("/v1/config")))
    wait_until(lambda: all(entry["result"] for entry in daemon.progress()), 60, "the last scan")
    assert clean_scan(daemon)["result"] == "complete"
    daemon.compare()
    wait_until(lambda: descriptors(pid) <= before + 8, 10, "descriptors")
    fold_events(all_events(daemon))
    stop_at_once(daemon)
    check_store(daemon.data_dir)


# --- a long time


@pytest.mark.parametrize("scope", dose(["account"], ["account", "organization"]))
def test_a_fortnight_leaves_memory_descriptors_and_store_flat(awssim, sensor, scope):
    """A fortnight of AWS's time; the daemon's own clock goes on as ever, so scans are asked for."""
    rounds, is_all = dose(12, 50), scope == "organization"
    sim = awssim(seed=27, **(SMALL if is_all else ONE_ACCOUNT))
    daemon = sensor(sim, scope=scope).start(ASAN_OPTIONS="quarantine_size_mb=1")
    pid, random = daemon.process.pid, dice("fortnight")
    for _ in range(3):
        clean_scan(daemon)
    quiet = measure(daemon)
    for _ in range(rounds // 2):
        sim.clock(advance_s=14 * 86400 // rounds)
        clean_scan(daemon)
    expect_flat(quiet, measure(daemon), store_bytes=128 << 10)
    # As many go as come, so what the store needs stays what it is but for events and serials.
    for _ in range(rounds // 2):
        sim.clock(advance_s=14 * 86400 // rounds)
        for op in ("add", "remove", "renew", "reimport", "in_use"):
            sim.mutate(op, count=random.randrange(1, 3))
        suspended = suspend_one(sim, random) if is_all else None
        clean_scan(daemon)
        if suspended is not None:
            sim.mutate("activate_account", account=suspended)
    clean_scan(daemon)
    if is_all:
        daemon.compare()
    else:
        compare_one_account(daemon, sim)
    expect_flat(quiet, measure(daemon), store_bytes=2 << 20)
    fold_events(all_events(daemon))
    assert daemon.process.pid == pid
    stop_at_once(daemon)
    check_store(daemon.data_dir)


def suspend_one(sim, random):
    accounts = sim.truth(certificates=0)["accounts"]
    account = random.choice([a["account_id"] for a in accounts if not a["is_hub"]])
    sim.mutate("suspend_account", account=account)
    return account


def measure(daemon):
    store = daemon.status()["store"]
    return {"memory": memory_bytes(daemon.process.pid),
            "descriptors": descriptors(daemon.process.pid), "used": store["used_bytes"],
            "file": store["file_bytes"]}


def expect_flat(before, after, store_bytes):
    assert after["descriptors"] <= before["descriptors"] + 4, (before, after)
    assert after["memory"] - before["memory"] < ((24 if HAS_SANITIZER else 2) << 20), \
        (before, after)
    assert after["used"] - before["used"] < store_bytes, (before, after)
    assert after["file"] - before["file"] < 2 * store_bytes, (before, after)


# --- standard files that are closed


@pytest.mark.parametrize("closed", ["0<&- 1>&- 2>&-", *dose([], ["2>&-", "1>&- 2>&-"])])
def test_closed_standard_files_are_not_the_store(awssim, sensor, closed):
    """Whatever is opened next would get their numbers, and then the log or a list written to it."""
    sim = awssim(seed=28, **ONE_ACCOUNT)
    daemon = sensor(sim, scope="account", sensor_options="log_level = debug")
    daemon.process = subprocess.Popen(["sh", "-c", f'exec "$@" {closed}', "sh", *daemon.command()],
                                      env=daemon.environment(), stdout=subprocess.DEVNULL)
    wait_until(daemon.socket.exists)
    clean_scan(daemon)
    for number in range(3):
        target = os.readlink(f"/proc/{daemon.process.pid}/fd/{number}")
        assert f"{number}>&-" not in closed.replace("<", ">") or target == "/dev/null", number
    # The CLI next to it, writing to what it must not have.
    before = (daemon.data_dir / "store.mdb-lock").read_bytes()[:8]  # beyond it lives the daemon
    for arguments in (["--offline", str(daemon.data_dir)], ["--socket", str(daemon.socket)]):
        subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", str(BUILD / "acmsensor"),
                        *arguments, "-o", "json", "certs"], timeout=30)
    assert (daemon.data_dir / "store.mdb-lock").read_bytes()[:8] == before
    clean_scan(daemon)
    compare_one_account(daemon, sim)
    stop_at_once(daemon)
    check_store(daemon.data_dir)
