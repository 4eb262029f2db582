"""What AWS, the network and the clock do to a cycle: each fault ends in a state that names itself,
holds up nobody else, and loses nothing that was known."""
import contextlib
import time

import pytest

from acmsensor import Sensor
from awssim import Awssim

QUICK = {"connect_timeout": "1s", "answer_timeout": "2s"}
KINDS = ["http500", "http503", "reset", "truncate", "stall", "garbage", "throttle"]


def states_by(coverage, position):
    """{account or region: set of states}"""
    found = {}
    for pair, row in coverage.items():
        found.setdefault(pair[position], set()).add(row["state"])
    return found


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Scenarios that take a minute of asking again before an answer is given up: they begin with
    the first test of this group and are looked at by the last."""
    folder, made = tmp_path_factory.mktemp("hostile"), []
    with contextlib.ExitStack() as stack:
        def awssim(**flags):
            made.append(folder / f"awssim-{len(made)}")
            made[-1].mkdir()
            return stack.enter_context(Awssim(folder=made[-1], **flags))

        def sensor(sim, **options):
            made.append(folder / f"sensor-{len(made)}")
            one = Sensor(made[-1], sim, **options)
            stack.callback(lambda: one.process and one.stop())
            return one

        yield [
            HostileRegions(awssim, sensor), HostileSts(awssim, sensor),
            HostileWalk("xml_bomb", awssim, sensor, service="sts"),
            HostileWalk("wrong_types", awssim, sensor, service="organizations"),
            HostileWalk("repeat_page", awssim, sensor, service="organizations"),
            HostileWalk("error", awssim, sensor, service="organizations",
                        code="AccessDeniedException", status=400)]


@pytest.mark.long
@pytest.mark.xdist_group("hostile")
def test_ten_percent_of_every_fault_at_once_still_gives_the_truth(awssim, sensor, hostile):
    sim = awssim(accounts=6, units=3, certs_per_region=4, seed=21, regions="us-east-1,eu-west-1")
    sim.faults(*[{"kind": kind, "probability": 0.1} for kind in KINDS])
    daemon = sensor(sim, **QUICK).start()
    daemon.wait_idle()
    # A call that met all of its bad luck at once may have failed: that is what the catch-up and
    # the next cycle are for. Nothing may be wrong, though, and asked again all must be there.
    for _ in range(3):
        if not daemon.coverage(problems=1):
            break
        daemon.scan()
    daemon.compare()
    assert sim.stats()["faults"] > 100


def test_short_sessions_are_refreshed_in_the_middle_of_a_cycle(awssim, sensor):
    sim = awssim(accounts=5, certs_per_region=8, seed=22, latency_ms=60, session_seconds=2)
    daemon = sensor(sim).start()
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    daemon.compare()
    assert sim.stats()["operations"]["sts:AssumeRole"]["ok"] > 4


def test_a_session_that_aws_calls_expired_is_refreshed_once(awssim, sensor):
    sim = awssim(accounts=5, certs_per_region=8, seed=22)
    sim.faults({"kind": "expired_token", "probability": 1, "service": "acm", "count": 1})
    daemon = sensor(sim).start()
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    daemon.compare()
    # Renewed by force once a minute, and then it is a failure, never a disabled region.
    sim.faults({"kind": "expired_token", "probability": 1, "service": "acm"})
    assert daemon.scan()["result"] == "incomplete"
    assert {row["state"] for row in daemon.coverage().values()} == {"failed"}
    sim.faults()
    assert daemon.scan()["result"] == "complete"
    daemon.compare()


@pytest.mark.parametrize("offset_s", [1200, -1200])
def test_a_clock_that_is_twenty_minutes_off_is_corrected(awssim, sensor, offset_s):
    sim = awssim(accounts=3, seed=23, clock_offset_s=offset_s)
    daemon = sensor(sim).start()
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    daemon.compare()
    texts = [item["text"] for item in daemon.status()["attention"]]
    word = "behind" if offset_s > 0 else "ahead of"
    assert any("clock is 20m" in text and word in text or
               "clock is 19m" in text and word in text for text in texts), texts


def test_a_dead_region_holds_up_nobody(awssim, sensor):
    sim = awssim(accounts=6, seed=24, regions="us-east-1,eu-west-1,eu-central-1")
    daemon = sensor(sim, via="proxy", **QUICK).start()
    daemon.wait_idle()
    before = daemon.certificates()
    daemon.compare()
    sim.faults({"kind": "dead", "probability": 1, "region": "eu-west-1"})
    begin = time.monotonic()
    daemon.scan()
    assert time.monotonic() - begin < 40
    found = states_by(daemon.coverage(), 1)
    assert found == {"us-east-1": {"ok"}, "eu-central-1": {"ok"}, "eu-west-1": {"unreachable"}}
    for row in daemon.coverage(region="eu-west-1").values():
        assert row["reason"] and row["last_success"] and row["next_try"], row
    assert set(daemon.certificates()) == set(before)
    assert any("unreachable" in item["text"] for item in daemon.status()["attention"])


def test_a_name_that_does_not_resolve_holds_up_no_other_connector(awssim, sensor):
    sim = awssim(accounts=4, seed=25, management_has_role=True)
    accounts = sorted(a["account_id"] for a in sim.truth(certificates=0)["accounts"])
    daemon = sensor(sim, connectors={
        "good": {"include_accounts": ",".join(accounts[:2])},
        "lost": {"include_accounts": ",".join(accounts[2:]),
                 "endpoint_url_acm": "https://acm.no-such-name.invalid", **QUICK},
        "lonely": {"endpoint_url": "https://sts.no-such-name.invalid", **QUICK}}).start()
    entries = daemon.wait_idle()
    assert entries["good"]["result"] == "complete"
    assert entries["lost"]["result"] == "incomplete"
    assert entries["lonely"]["result"] == "failed"
    assert "no-such-name.invalid" in entries["lonely"]["error"]
    lost = [row for row in daemon.coverage(connector="lost").values()
            if row["state"] != "excluded"]
    assert lost and all(row["state"] == "unreachable" and "no-such-name.invalid" in row["reason"]
                        for row in lost)
    first = daemon.status()["attention"][0]
    assert first["severity"] == "critical" and "lonely" in first["text"], first


def test_an_endless_list_holds_up_nobody_and_ends_with_the_daemon(awssim, sensor):
    sim = awssim(accounts=4, seed=29, regions="us-east-1,eu-west-1")
    truth = sim.truth(certificates=0)
    victim = next(a["account_id"] for a in truth["accounts"] if not a["is_hub"])
    sim.faults({"kind": "endless_token", "probability": 1, "service": "acm", "account": victim,
                "region": "eu-west-1"})
    daemon = sensor(sim).start()
    end = time.monotonic() + 30
    while daemon.progress()[0]["pairs_done"] < 7:
        assert time.monotonic() < end, daemon.progress()
        time.sleep(0.02)
    assert daemon.progress()[0]["pairs_running"] == 1
    coverage = daemon.coverage()
    assert coverage.pop((victim, "eu-west-1"))["state"] == "never_tried"
    assert {row["state"] for row in coverage.values()} == {"ok"}
    assert daemon.stop() < 2
    # It is not lost: the cycle goes on after a restart, with this account-region alone.
    sim.faults()
    sim.reset_stats()
    daemon.start()
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    daemon.compare()
    assert sim.stats()["operations"]["acm:ListCertificates"]["requests"] == 1


HOSTILE = {  # a kind for each region
    "us-east-1": None, "us-east-2": "repeat_page", "us-west-1": "big_body", "us-west-2": "html",
    "ca-central-1": "html502", "eu-west-1": "garbage", "eu-west-2": "wrong_types",
    "eu-west-3": "deep", "eu-north-1": "duplicate_keys", "eu-central-1": "bad_utf8",
    "sa-east-1": "empty", "ap-south-1": "truncate"}


class HostileRegions:
    """Every kind of hostile answer at once, each in a region of its own."""

    def __init__(self, awssim, sensor):
        self.sim = awssim(accounts=3, seed=26, regions=",".join(HOSTILE), certs_per_region=2)
        self.daemon = sensor(self.sim, **QUICK).start()
        self.daemon.wait_idle()
        self.before = set(self.daemon.certificates())
        self.sim.faults(*[
            {"kind": kind, "probability": 1, "service": "acm", "region": region}
            for region, kind in HOSTILE.items() if kind])
        self.ids = self.daemon.ask()["cycle_ids"]

    def check(self):
        self.daemon.wait_for(self.ids)
        rows = self.daemon.coverage()
        for (_, region), row in rows.items():
            kind = HOSTILE[region]
            assert row["state"] == ("failed" if kind else "ok"), (kind, row)
            assert row["last_success"] and bool(row["reason"]) == bool(kind), (kind, row)
        reasons = {HOSTILE[region]: row["reason"].replace(region, "")
                   for (_, region), row in rows.items() if HOSTILE[region]}
        assert len(set(reasons.values())) >= len(reasons) - 3, reasons
        assert set(self.daemon.certificates()) == self.before
        self.sim.faults()
        self.daemon.scan()
        self.daemon.compare()


class HostileSts:
    """Answers to AssumeRole: the accounts that need it fail, the hub's own does not."""

    def __init__(self, awssim, sensor):
        self.sim = awssim(accounts=4, seed=27, regions="us-east-1,eu-west-1")
        self.sim.faults({"kind": "xml_bomb", "probability": 1, "service": "sts",
                         "operation": "AssumeRole"})
        self.daemon = sensor(self.sim, **QUICK).start()

    def check(self):
        self.daemon.wait_idle()
        found = states_by(self.daemon.coverage(), 0)
        for account in self.sim.truth(certificates=0)["accounts"]:
            expected = "ok" if account["is_hub"] else "failed"
            assert found[account["account_id"]] == {expected}, found
        self.sim.faults()
        self.daemon.scan()
        self.daemon.compare()


class HostileWalk:
    """An organization that cannot be read fails the cycle and keeps everything."""

    def __init__(self, kind, awssim, sensor, **more):
        self.sim = awssim(accounts=5, seed=28)
        self.daemon = sensor(self.sim, **QUICK).start()
        self.daemon.wait_idle()
        self.before, self.rows = set(self.daemon.certificates()), self.daemon.coverage()
        self.sim.faults({"kind": kind, "probability": 1, **more})
        self.ids = self.daemon.ask()["cycle_ids"]

    def check(self):
        entry = self.daemon.wait_for(self.ids)[self.ids[0]]
        assert entry["result"] == "failed" and entry["error"], entry
        assert set(self.daemon.certificates()) == self.before
        assert self.daemon.coverage() == self.rows
        event = self.daemon.events()[-1]
        assert event["kind"] == "cycle_failed" and event["detail"] == entry["error"]
        first = self.daemon.status()["attention"][0]
        assert first["severity"] == "critical" and entry["error"] in first["text"]
        self.sim.faults()
        assert self.daemon.scan()["result"] == "complete"
        self.daemon.compare()


@pytest.mark.long
@pytest.mark.xdist_group("hostile")
def test_hostile_answers_name_themselves_and_lose_nothing(hostile):
    for scenario in hostile:
        scenario.check()
        text = scenario.daemon.log_text()
        assert "Sanitizer" not in text and "runtime error" not in text, text[-6000:]
