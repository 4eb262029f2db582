"""The daemon is killed (kill -9) while it delivers, at random instants and at each write of its
store, so at each boundary between two phases: every job ends once and truthfully, ACM has no
certificate twice, no secret is left over and no key unsealed on the disk."""
import pytest

from awssim import BUILD, SIM_BUILD
from delivery_lives import DeliveryLives, Slot
from torture import HAS_SANITIZER, dose

pytestmark = pytest.mark.long
ENDS_MAX, STEP_BACK = 6, 8
ESCROWS = ["sensor", "sensor", "sensor", "secretsmanager", "secretsmanager", "memory"]


def lives_of(desk, ec, name, escrows, acm_ms=0, sync_ms=0, build=SIM_BUILD):
    """One account for each entry of escrows. acm_ms, sync_ms: so that a job waits for AWS about as
    long as for its own writes, on any machine and disk."""
    flags = {"accounts": len(escrows) + 1, "units": 0}
    at = desk(flags=flags, connectors={kind: {"key_escrow": kind} for kind in sorted(set(escrows))},
              skips_time=True, sensor_options="log_level = debug", build=build)
    at.sensor.wait_idle()
    at.sensor.kill()
    if acm_ms:
        at.sim.faults({"kind": "latency", "ms": acm_ms, "probability": 1})
    accounts = [one for one in at.accounts if one != at.account]
    slots = [Slot(*one) for one in zip(accounts, escrows, escrows)]
    lives = DeliveryLives(at, ec, slots, name)
    lives.sync_ms = sync_ms
    return lives


@pytest.mark.parametrize("turn, build, kills", [
    *(pytest.param(turn, SIM_BUILD, 50, id=f"release-{turn}") for turn in range(dose(1, 10))),
    *([pytest.param(0, BUILD, dose(4, 50), id="sanitizers")] if HAS_SANITIZER else [])])
def test_killed_at_random_instants(desk, ec, turn, build, kills):
    lives = lives_of(desk, ec, f"random instants {turn}", ESCROWS, acm_ms=10, sync_ms=3,
                     build=build)
    phases = ("first", "import", "tag", "confirm") if kills >= 50 else ()
    while lives.hits < kills or (lives.spared(phases) and lives.hits < 4 * kills):
        lives.order_all()
        while not lives.rests():
            lives.end_at_random()
        lives.converge()
    lives.expect_no_leftovers()
    print(dict(lives.deaths), lives.hits)  # seen with pytest -rP
    assert not lives.spared(phases), lives.deaths


def kill_at_each(lives, kinds, hows):
    """From the order's plan to the jobs' ends. How many writes a life has depends on how many share
    a commit: one may end before the writes that were to be hit, so those before are hit again."""
    phases, number, ends = ("keep", "import", "tag", "confirm", "done"), 0, 0
    while ends == 0 or (lives.spared(phases) and ends < ENDS_MAX):
        number += 1
        lives.order_each(kinds)
        if not lives.ends_at_write(number, hows[number % len(hows)]):
            ends += 1
            number = max(0, number - STEP_BACK)
        lives.converge()
    lives.expect_no_leftovers()
    print(dict(lives.deaths), number, ends)
    assert not lives.spared(phases), lives.deaths


def test_killed_at_each_boundary_of_phases(desk, ec):
    """Which is a commit: right after each, with all kinds of jobs under way."""
    kinds = ["import", "reimport", "rollback", "import"]
    lives = lives_of(desk, ec, "boundaries", ["sensor", "sensor", "sensor", "secretsmanager"])
    kill_at_each(lives, kinds, ["commit"])


@pytest.mark.skipif(dose(True, False), reason="minutes; boundaries are hit by the test above")
@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize("kind", ["import", "reimport", "rollback"])
def test_killed_at_each_write_of_a_job(desk, ec, kind, turn):
    # No key is kept that waited elsewhere, so there is no way back.
    escrows = ["sensor", "sensor" if kind == "rollback" else "secretsmanager"]
    lives = lives_of(desk, ec, "each write " + kind, escrows)
    kill_at_each(lives, [kind] * 2, ["half", "after"] if turn else ["after", "half"])
