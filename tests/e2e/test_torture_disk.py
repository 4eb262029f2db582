"""Disks that are full, read-only or die, and readers that hold what the writer needs: the cycle
says what is wrong, nothing that was stored is lost, and afterwards the inventory becomes the
truth."""
import json
import select
import signal
import subprocess
import time

import pytest

from acmsensor import compare_certificates, compare_coverage
from awssim import SIM_BUILD
from cli import Cli
from receivers import Webhook
from torture import (ONE_ACCOUNT, MountedSensor, Mounts, Reader, all_events, check_store, clean_scan,
                     compare_one_account, copied, dice, dose, fold_events, stop_at_once)
from waiting import wait_until

SMALL = dict(accounts=8, units=0, regions="us-east-1,eu-west-1", certs_per_region=3, rate_scale=0)
DISK_BYTES = 4 << 20


@pytest.fixture
def mounted(tmp_path):
    """A function that makes a Sensor in a mount namespace of the test."""
    mounts, made = Mounts(), []

    def make(sim, **options):
        made.append(MountedSensor(tmp_path / "mounted", sim, mounts, **options))
        return made[-1]

    yield make
    for daemon in made:
        if daemon.process is not None:
            daemon.stop()
        text = daemon.log_text() if daemon.log.exists() else ""
        assert "Sanitizer" not in text and "runtime error" not in text, text[-6000:]
    mounts.close()


def on_small_disk(awssim, mounted, seed):
    sim = awssim(seed=seed, **SMALL)
    daemon = mounted(sim)
    daemon.mount_memory(DISK_BYTES)
    daemon.start()
    daemon.wait_idle()
    daemon.compare()
    return sim, daemon


def critical(daemon):
    """What needs attention first, in words."""
    return " ".join(item["text"] for item in daemon.status()["attention"]
                    if item["severity"] == "critical")


def expect_told(daemon, entry, words):
    """The full disk has a name in what the cycle left: its own error, or each place's reason."""
    reasons = [entry["error"] or ""] + \
        [row["reason"] for row in daemon.coverage(problems=1).values() if row["state"] == "failed"]
    assert any(reasons)
    assert all(any(word in reason for word in words) for reason in reasons if reason), reasons


def facts(certificates):
    """What does not change while AWS does not change it: who looks when is left out."""
    times = {"last_seen", "detailed_at", "days_left", "expired"}
    return {arn: {name: value for name, value in one.items() if name not in times}
            for arn, one in certificates.items()}


def expect_kept(daemon, before, events):
    """What was stored is there, the same, unless an event tells otherwise."""
    now, after = all_events(daemon), facts(daemon.certificates())
    assert now[:len(events)] == events
    changed = {event["arn"] for event in now[len(events):]}
    for arn, one in facts(before).items():
        assert arn in changed or after.get(arn) == one, (one, after.get(arn))
    present, _ = fold_events(now)
    assert present == set(after)


def test_a_full_disk_is_named_and_loses_nothing(awssim, mounted):
    sim, daemon = on_small_disk(awssim, mounted, seed=51)
    events = all_events(daemon)
    for leave_bytes in (0, 16 << 10, 96 << 10):
        before = daemon.certificates()
        daemon.fill_disk(leave_bytes)
        sim.mutate("add", count=60)
        sim.mutate("renew", count=3)
        entry = daemon.scan()
        assert entry["result"] in ("failed", "incomplete"), entry
        expect_told(daemon, entry, ["no space"])
        assert "no space" in critical(daemon)
        assert "no space" in daemon.log_text()
        # What is there was either there before or was read whole; nothing is gone.
        expect_kept(daemon, before, events)
        with copied(daemon.disk(), "filler") as copy:
            check_store(copy)
        daemon.free_disk()
        assert clean_scan(daemon)["result"] == "complete"
        daemon.compare()
        assert "no space" not in critical(daemon)
        events = all_events(daemon)
        present, _ = fold_events(events)
        assert present == set(daemon.certificates())
    stop_at_once(daemon)
    check_store(daemon.disk())


def test_alerts_that_a_full_disk_keeps_back_are_told_afterwards(awssim, mounted, tmp_path):
    receiver = Webhook(tmp_path)
    channel = f"[channel ops]\ntype = webhook\nurl_file = {receiver.url_file}\nminimum = notice\n"
    try:
        sim = awssim(seed=52, **SMALL)
        daemon = mounted(sim, sensor_options="alert_days = off\n" + channel)
        daemon.mount_memory(4 * DISK_BYTES)
        daemon.start()
        reader = Reader(daemon.disk())  # no page becomes free, so that each write needs the disk
        daemon.wait_idle()
        wait_until(lambda: daemon.status()["alerts"]["looked"], 20, "the look")
        assert not receiver.messages
        daemon.fill_disk(0)
        text = daemon.config.read_text()
        daemon.config.write_text(text.replace("alert_days = off", "alert_days = 3650"))
        daemon.signal(signal.SIGHUP)
        wait_until(lambda: daemon.status()["alerts"]["error"], 20, "the look")
        assert "alerts cannot be looked for: " in critical(daemon)
        assert "no space" in daemon.status()["alerts"]["error"]
        assert "warning look alerts reason=" in daemon.log_text()
        reader.let_go()
        daemon.free_disk()
        daemon.signal(signal.SIGHUP)  # it would look again after a minute
        message = receiver.wait(1, 90)
        assert message["count"] == len(daemon.get("/v1/alerts")["alerts"]) > 10
        wait_until(lambda: not daemon.status()["alerts"]["error"], 20, "the end")
        receiver.quiet(1)
        stop_at_once(daemon)
        check_store(daemon.disk())
    finally:
        receiver.stop()


def test_killed_while_the_disk_is_full(awssim, mounted):
    sim, daemon = on_small_disk(awssim, mounted, seed=59)
    sim.faults(latency_ms=30)  # so that kills fall into cycles
    random, hits, rounds = dice("full"), 0, dose(10, 100)
    for n in range(1, rounds + 1):
        before, events = daemon.certificates(), all_events(daemon)
        daemon.fill_disk(random.randrange(0, 64 << 10, 4 << 10))
        for op in ("add", "remove"):
            sim.mutate(op, count=5)
        cycle_id = daemon.ask()["cycle_ids"][0]
        time.sleep(random.uniform(0, 0.6))
        hits += not {entry["cycle_id"]: entry for entry in daemon.progress()}[cycle_id]["result"]
        daemon.kill()
        with copied(daemon.disk(), "filler") as copy:
            check_store(copy)
        daemon.start()  # perhaps nothing is due now, so that no cycle begins by itself
        expect_kept(daemon, before, events)
        daemon.free_disk()
        if n % 5 == 0:
            clean_scan(daemon)
            daemon.compare()
            assert "no space" not in critical(daemon)
    assert hits >= rounds / 5, "too few kills fell into a cycle"
    clean_scan(daemon)
    daemon.compare()
    fold_events(all_events(daemon))
    stop_at_once(daemon)
    check_store(daemon.disk())


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_start_on_a_full_disk_serves_and_says_what_is_wrong(awssim, mounted, is_killed):
    sim, daemon = on_small_disk(awssim, mounted, seed=61)
    reader = Reader(daemon.disk())  # no page becomes free, so that not even an event is stored
    daemon.fill_disk()
    wait_until(lambda: daemon.ask(region="us-east-1") and "write event" in daemon.log_text(),
               what="a full disk")
    daemon.wait_idle()
    before, events = daemon.certificates(), all_events(daemon)
    if is_killed:
        daemon.kill()
    else:
        stop_at_once(daemon)
    daemon.start()
    assert not daemon.progress(), "the test wants a start at which no cycle is due"
    assert "no space" in critical(daemon)
    expect_kept(daemon, before, events)
    entry = daemon.scan()
    assert entry["result"] == "failed"
    expect_told(daemon, entry, ["no space"])
    reader.let_go()
    daemon.free_disk()
    sim.mutate("add", count=10)
    clean_scan(daemon)
    daemon.compare()
    assert "no space" not in critical(daemon)
    stop_at_once(daemon)
    check_store(daemon.disk())


def test_signals_and_restarts_on_a_full_disk(awssim, mounted):
    sim, daemon = on_small_disk(awssim, mounted, seed=52)
    known = daemon.certificates()
    daemon.fill_disk()
    daemon.ask()
    time.sleep(0.2)
    stop_at_once(daemon)
    # It serves what it has, whatever it can write.
    daemon.start()
    assert set(daemon.certificates()) == set(known)
    daemon.scan()
    daemon.kill()
    daemon.start()
    assert set(daemon.certificates()) == set(known)
    daemon.free_disk()
    sim.mutate("add", count=10)
    clean_scan(daemon)
    daemon.compare()
    stop_at_once(daemon)
    check_store(daemon.disk())


def test_a_first_start_on_a_disk_of_any_size_ends_in_words(awssim, mounted):
    sim = awssim(seed=53, **{**SMALL, "accounts": 2})
    daemon = mounted(sim)
    sizes = range(4096, 200000, dose(32768, 4096))
    for size_bytes in sizes:
        daemon.mount_memory(size_bytes)
        done = daemon.run("--once")
        # What was read but not kept is a failure of ours, not a place that could not be read.
        assert done.returncode in (0, 1), (size_bytes, done)
        if done.returncode != 0:
            told = done.stderr.strip().splitlines()[-1]
            assert "no space" in told, (size_bytes, done.stdout, done.stderr)
        # What was left by halves is finished as soon as there is space.
        daemon.remount(f"size={DISK_BYTES}")
        assert daemon.run("--once").returncode == 0, size_bytes
        check_store(daemon.disk())
        daemon.unmount()


def test_a_disk_mounted_read_only_is_refused_by_name(awssim, mounted):
    sim, daemon = on_small_disk(awssim, mounted, seed=54)
    known = set(daemon.certificates())
    daemon.stop()
    daemon.remount("ro")
    for arguments in ([], ["--once"]):
        done = daemon.run(*arguments, timeout=20)
        assert done.returncode == 1
        assert str(daemon.data_dir) in done.stderr and "Read-only" in done.stderr
    daemon.remount("rw")
    daemon.start()
    assert set(daemon.certificates()) == known
    clean_scan(daemon)
    daemon.compare()


def test_a_disk_that_turns_read_only_under_the_daemon(awssim, mounted, tmp_path):
    """As ext4 does by itself when the device fails: no write works from one moment to the next."""
    sim = awssim(seed=55, **SMALL)
    daemon = mounted(sim)
    image = tmp_path / "disk.img"
    with open(image, "wb") as file:
        file.truncate(32 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    daemon.mount_image(image)
    daemon.start()
    daemon.wait_idle()
    before, events = daemon.certificates(), all_events(daemon)
    daemon.remount("abort")
    sim.mutate("add", count=5)
    entry = daemon.scan()
    assert entry["result"] == "failed", entry
    assert "Read-only file system" in entry["error"] and "store.mdb" in entry["error"], entry
    assert "Read-only file system" in critical(daemon)
    assert daemon.certificates().keys() == before.keys()
    stop_at_once(daemon)
    daemon.unmount()
    subprocess.run(["fsck.ext4", "-p", str(image)], stdout=subprocess.DEVNULL)  # as at a boot
    daemon.mount_image(image)
    daemon.start()
    expect_kept(daemon, before, events)
    clean_scan(daemon)
    daemon.compare()
    stop_at_once(daemon)
    check_store(daemon.disk())


def test_a_limit_on_file_size_is_an_error_too(awssim, sensor):
    sim = awssim(seed=56, **SMALL)
    daemon = sensor(sim).start()
    clean_scan(daemon)
    limit = ["prlimit", "--pid", str(daemon.process.pid)]
    subprocess.run([*limit, f"--fsize={(daemon.data_dir / 'store.mdb').stat().st_size}:unlimited"],
                   check=True)
    sim.mutate("add", count=80)
    entry = daemon.scan()
    expect_told(daemon, entry, ["no space", "File too large"])
    subprocess.run([*limit, "--fsize=unlimited"], check=True)
    clean_scan(daemon)
    daemon.compare()


# --- readers


def churn(sim, daemon, rounds):
    """By how much the file has grown."""
    before = daemon.status()["store"]["file_bytes"]
    for _ in range(rounds):
        sim.clock(advance_s=2)  # so that two renewals never fall into one second
        sim.mutate("renew", count=10)
        sim.mutate("reimport", count=10)
        clean_scan(daemon)
    return daemon.status()["store"]["file_bytes"] - before


def test_dead_readers_keep_no_page_and_living_ones_theirs(awssim, sensor):
    """Whoever opens the store clears dead readers away; where nobody does, the daemon must."""
    sim = awssim(seed=57, **ONE_ACCOUNT)
    daemon = sensor(sim, scope="account").start()
    churn(sim, daemon, 2)
    rounds = dose(6, 40)
    dying = [Reader(daemon.data_dir) for _ in range(3)]
    for reader in dying:
        reader.kill()
    dead = churn(sim, daemon, rounds)
    living = Reader(daemon.data_dir)
    held = churn(sim, daemon, rounds)
    living.let_go()
    assert held > rounds * (64 << 10), "nothing shows that a reader keeps pages"
    assert dead < held / 2, (dead, held)
    compare_one_account(daemon, sim)
    stop_at_once(daemon)
    assert check_store(daemon.data_dir)["readers"] == 0


# Compacted, they fill the map that a daemon begins with (64 MiB) but for some 5 MB.
NEARLY_A_MAP = 24000


def nearly_full_map(folder, data_dir):
    subprocess.run([str(SIM_BUILD / "fill_store"), str(folder / "filled"), str(NEARLY_A_MAP)],
                   check=True)
    data_dir.mkdir(mode=0o700)
    Cli("--offline", folder / "filled").run("backup", data_dir / "store.mdb")
    left = (64 << 20) - check_store(data_dir, "--read-only")["file_bytes"]
    assert 1 << 20 < left < 8 << 20, f"NEARLY_A_MAP leaves {left} bytes: change it"


def stopped_in_a_backup(data_dir, folder):
    """A backup that has begun, and stands still; its file."""
    for number in range(20):
        file = folder / f"backup-{number}" / "store.mdb"
        file.parent.mkdir()
        process = Cli("--offline", data_dir).start("backup", file)
        wait_until(lambda: file.exists() and file.stat().st_size > 0)
        process.send_signal(signal.SIGSTOP)
        if file.stat().st_size < 32 << 20:
            return process, file
        process.send_signal(signal.SIGCONT)
        process.communicate()
    raise AssertionError("each backup was too fast")


def test_a_scan_makes_the_map_grow_while_others_read_the_past(awssim, sensor, tmp_path):
    sim = awssim(seed=58, **{**SMALL, "certs_per_region": 25})
    # "prod" is whose certificates fill the map: configured, so that it is not forgotten now.
    daemon = sensor(sim, connectors={"new": {}, "prod": {"endpoint_url": "http://127.0.0.1:1"}})
    nearly_full_map(tmp_path, daemon.data_dir)
    past = check_store(daemon.data_dir, "--read-only")
    held = Reader(daemon.data_dir)
    listing = Cli("--offline", daemon.data_dir).start("-o", "json", "certs", "--gone")
    select.select([listing.stdout], [], [])  # it has begun, and will wait: its pipe gets full
    backup, file = stopped_in_a_backup(daemon.data_dir, tmp_path)
    sim.faults(latency_ms=20)
    daemon.start(wait=False)
    seen = set()  # phases of the first cycle, with the size of the map
    while not any(phase == "done" for phase, _ in seen):
        try:
            store, entries = daemon.status()["store"], daemon.progress("new")
            seen |= {(entries[0]["phase"], store["map_bytes"])} if entries else set()
        except OSError:
            pass  # not there yet
        time.sleep(0.005)
    assert ("scan", 64 << 20) in seen, "the map grew before the scan"
    assert max(size for _, size in seen) > 64 << 20, "the map did not grow"
    entry = daemon.progress("new")[0]
    assert entry["result"] == "complete", entry
    held_now = Reader(daemon.data_dir)
    # Those that began before see what was then.
    held.let_go()
    listed = json.loads(listing.communicate()[0])["certificates"]
    assert listing.returncode == 0
    assert len(listed) == len({one["arn"] for one in listed}) == past["certificates"]
    backup.send_signal(signal.SIGCONT)
    assert backup.wait(60) == 0
    copy = check_store(file.parent, "--read-only")
    assert copy["certificates"] == past["certificates"] and copy["events"] == past["events"]
    # And all that is new is there.
    truth = sim.truth(reachable=1)
    compare_coverage(daemon.coverage(connector="new"), truth)
    compare_certificates(daemon.certificates(connector="new"), truth)
    held_now.let_go()
    stop_at_once(daemon)
    check_store(daemon.data_dir)
