"""The daemon is killed (kill -9) at any instant of its life, hundreds of times: its store always
opens, nothing that it ever showed is lost, its events have no gap and its inventory becomes the
truth."""
import contextlib
import threading

import pytest

from awssim import BUILD, SIM_BUILD
from lives import IN_CYCLE, Lives
from torture import HAS_SANITIZER, ONE_ACCOUNT, dose

SMALL = dict(accounts=8, units=0, regions="us-east-1,eu-west-1", certs_per_region=4, rate_scale=0)
CHANGES = ["add", "remove", "renew", "reimport", "in_use"]
pytestmark = pytest.mark.long
HOW = ["after", "half"]  # of the call at which it dies


@contextlib.contextmanager
def changing(sim, random):
    """AWS changes all the time."""
    is_over = threading.Event()

    def change():
        while not is_over.wait(0.02):
            sim.clock(advance_s=2)  # so that two renewals never fall into one second
            sim.mutate(random.choice(CHANGES), count=1)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def change(sim, random):
    sim.clock(advance_s=2)
    for op in random.sample(CHANGES, 3):
        sim.mutate(op, count=2)


def kill(lives, in_cycle, converge_every, before=lambda: None, during=contextlib.nullcontext):
    """Until so many kills fell into a cycle, not into a start or into idleness."""
    kills = hits = 0
    while hits < in_cycle:
        kills += 1
        assert kills < 20 + 4 * in_cycle, lives.deaths
        before()
        if lives.random.random() < 0.1:
            lives.hold_reader(lives=2)
        with during():
            hits += lives.end_at_random() in IN_CYCLE
        lives.check()
        if kills % converge_every == 0:
            lives.converge()
            lives.live()
    lives.converge()


def expect_spread(lives):
    """That enough of the kills fell where something was read, and where something was stored."""
    print(dict(lives.deaths))  # seen with pytest -rP
    total = sum(lives.deaths.values())
    reading = lives.deaths["scan"] + lives.deaths["walk"]
    storing = lives.deaths["commit"] + lives.deaths["write"]
    assert reading >= total / 10 and storing >= total / 20, lives.deaths
    assert lives.deaths["scan"] + lives.deaths["commit"] >= total / 10, lives.deaths


def lives_of(awssim, sensor, name, build, acm_ms=20, sync_ms=10, **flags):
    """acm_ms, sync_ms: so that a cycle reads for about as long as it waits for its own writes, on
    any machine and disk. A sanitizer must be loaded first, so that its disk is as fast as it is."""
    sim = awssim(seed=21, **flags)
    sim.faults({"kind": "latency", "ms": acm_ms, "probability": 1, "service": "acm"})
    scope = "account" if "hub" in flags else "organization"
    daemon = sensor(sim, scope=scope, build=build, sensor_options="log_level = debug")
    lives = Lives(daemon, sim, name)
    lives.sync_ms = sync_ms if build == SIM_BUILD else 0
    return lives


def test_killed_in_its_first_cycles(awssim, sensor):
    """Each time an empty data directory, and kills until all is read."""
    lives = lives_of(awssim, sensor, "first", SIM_BUILD, **SMALL)
    lives.live()
    for _ in range(dose(6, 36)):
        lives.begin_anew()
        kill(lives, 9, converge_every=100)
    expect_spread(lives)


def test_killed_between_changes_of_aws(awssim, sensor):
    lives = lives_of(awssim, sensor, "between changes", SIM_BUILD, **ONE_ACCOUNT)
    lives.live()
    kill(lives, dose(75, 360), 25, before=lambda: change(lives.sim, lives.random))
    expect_spread(lives)


@pytest.mark.parametrize("build, in_cycle", [
    pytest.param(SIM_BUILD, dose(75, 360), id="release"),
    *([pytest.param(BUILD, dose(12, 60), id="sanitizers")] if HAS_SANITIZER else [])])
def test_killed_while_aws_changes(awssim, sensor, build, in_cycle):
    lives = lives_of(awssim, sensor, "changing", build, **SMALL)
    lives.live()
    kill(lives, in_cycle, 25, during=lambda: changing(lives.sim, lives.random))
    if build == SIM_BUILD:
        expect_spread(lives)


# --- between a write and the end of its commit


@pytest.mark.parametrize("turn", dose([0], [0, 1]))
def test_killed_at_each_write_of_its_first_cycle(awssim, sensor, turn):
    lives = lives_of(awssim, sensor, "each write", SIM_BUILD, acm_ms=0, sync_ms=0,
                     **{**ONE_ACCOUNT, "regions": 4})
    is_dead, number = True, 0
    while is_dead:
        number += 1
        lives.begin_anew()
        is_dead = lives.ends_at_write(number, HOW[(number + turn) % 2])
        lives.check()
        if number % 8 == 0 or not is_dead:
            lives.converge()
    assert number > 20, lives.deaths


@pytest.mark.parametrize("turn", dose([1], [0, 1]))
def test_killed_at_each_write_of_a_cycle_that_finds_changes(awssim, sensor, turn):
    lives = lives_of(awssim, sensor, "each change", SIM_BUILD, acm_ms=0, sync_ms=0,
                     **{**ONE_ACCOUNT, "regions": 4})
    lives.converge()
    is_dead, number = True, 0
    while is_dead:
        number += 1
        change(lives.sim, lives.random)
        is_dead = lives.ends_at_write(number, HOW[(number + turn) % 2])
        lives.check()
        if number % 8 == 0 or not is_dead:
            lives.converge()
    assert number > 20, lives.deaths
