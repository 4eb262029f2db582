"""Disks that are full, read-only or die, and readers that hold what the writer needs: the cycle
says what is wrong, nothing that was stored is lost, and afterwards the inventory becomes the
truth."""
import subprocess
import time

import pytest

from acmsensor import compare_certificates, compare_coverage
from awssim import SIM_BUILD
from torture import (ONE_ACCOUNT, MountedSensor, Mounts, Reader, all_events, check_store, clean_scan,
                     compare_one_account, copied, dice, dose, fold_events, stop_at_once)

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


def test_killed_while_the_disk_is_full(awssim, mounted):
    sim, daemon = on_small_disk(awssim, mounted, seed=59)
    sim.faults(latency_ms=30)  # so that kills fall into cycles
    random, hits, rounds = dice("full"), 0, dose(10, 100)
    for n in range(1, rounds + 1):
        before, events = daemon.certificates(), all_events(daemon)
        daemon.fill_disk(random.randrange(0, 64 << 10, 4 << 10))
        for op in ("add", "remove"):
            sim.mutate(op, count=5)
        daemon.ask()
        time.sleep(random.uniform(0, 0.6))
        hits += not daemon.progress()[-1]["result"]
        daemon.kill()
        with copied(daemon.disk(), "filler") as copy:
            check_store(copy)
        daemon.start()
        expect_kept(daemon, before, events)
        daemon.free_disk()
        if n % 5 == 0:
            clean_scan(daemon)
            daemon.compare()
    assert hits >= rounds / 5, "too few kills fell into a cycle"
    clean_scan(daemon)
    daemon.compare()
    fold_events(all_events(daemon))
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
        assert done.returncode in (0, 1, 4), (size_bytes, done)
        if done.returncode != 0:
            told = done.stderr.strip().splitlines()[-1] if done.returncode == 1 else done.stdout
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
    for _ in range(rounds):
        sim.clock(advance_s=2)  # so that two renewals never fall into one second
        sim.mutate("renew", count=10)
        sim.mutate("reimport", count=10)
        clean_scan(daemon)
    return daemon.status()["store"]


def test_readers_that_are_killed_hold_nothing_up(awssim, sensor):
    sim = awssim(seed=57, **ONE_ACCOUNT)
    daemon = sensor(sim, scope="account").start()
    rounds = dose(3, 60)
    used = churn(sim, daemon, 2)["used_bytes"]
    for _ in range(rounds):
        readers = [Reader(daemon.data_dir) for _ in range(3)]
        churn(sim, daemon, 1)
        for reader in readers:
            reader.kill()
    # Pages that dead readers held are used again: only events and serials add to the store.
    grown = churn(sim, daemon, 2)["used_bytes"] - used
    assert grown < (rounds + 3) * (64 << 10), grown
    compare_one_account(daemon, sim)
    stop_at_once(daemon)
    assert check_store(daemon.data_dir)["readers"] == 0


def test_a_reader_that_is_killed_and_not_followed_by_another_keeps_no_page(awssim, sensor):
    """Whoever opens the store clears away dead readers; the daemon must do it by itself."""
    sim = awssim(seed=60, **ONE_ACCOUNT)
    daemon = sensor(sim, scope="account").start()
    rounds = dose(6, 40)
    before = churn(sim, daemon, 2)["file_bytes"]
    Reader(daemon.data_dir).kill()
    # Held by a reader, a cycle takes about 400 KiB of new pages; else a quarter, for what it adds.
    grown = churn(sim, daemon, rounds)["file_bytes"] - before
    assert grown < (rounds + 3) * (128 << 10), grown
    stop_at_once(daemon)


def test_the_map_grows_while_a_reader_holds_the_past(awssim, sensor):
    """A large store of a connector that is not configured any more: forgetting it rewrites much."""
    sim = awssim(seed=58, **SMALL)
    daemon = sensor(sim, connectors={"new": {}})
    fill = [str(SIM_BUILD / "fill_store"), str(daemon.data_dir), "24000"]
    subprocess.run(fill, check=True)
    reader = Reader(daemon.data_dir)
    daemon.start()
    map_bytes, end = daemon.status()["store"]["map_bytes"], time.monotonic() + 100
    while daemon.status()["store"]["map_bytes"] == map_bytes:
        assert time.monotonic() < end, daemon.status()["store"]
        for _ in range(50):
            daemon.ask()  # an event, and so a commit
    second = Reader(daemon.data_dir)
    clean_scan(daemon)
    truth = sim.truth(reachable=1)
    compare_coverage(daemon.coverage(connector="new"), truth)
    compare_certificates(daemon.certificates(connector="new"), truth)
    reader.let_go()
    second.let_go()
    stop_at_once(daemon)
    check_store(daemon.data_dir)
