"""Discovery end to end: the inventory of a real acmsensord equals awssim's truth."""
import collections

import pytest

from acmsensor import compare_certificates, truth_coverage
from stopwatch import waited_s

MIXED = dict(accounts=24, units=9, unit_depth=4, mixed=True, awkward_pages=True,
             certs_per_region=4, regions="us-east-1,eu-central-1,ap-east-1")


def states(coverage):
    return collections.Counter(one["state"] for one in coverage.values())


@pytest.mark.parametrize("seed, via, flags", [
    (1, "http", {}),
    (2, "tls", {"account_fields": "state"}),
    (3, "proxy", {"external_id": "e2e:external/id"}),
    (4, "http", {"account_fields": "status", "base_token": True}),
    (5, "tls", {"hub": "delegated", "requests_per_connection": 7}),
])
def test_inventory_equals_the_truth(awssim, sensor, seed, via, flags):
    sim = awssim(seed=seed, **{**MIXED, **flags})
    daemon = sensor(sim, via=via).start()
    entry = daemon.wait_idle()["prod"]
    daemon.compare()
    truth = sim.truth(certificates=0)
    expected = truth_coverage(truth)
    assert entry["result"] == "incomplete" and entry["kind"] == "cycle"
    problems = sum(one["state"] not in ("ok", "region_disabled", "account_inactive")
                   for one in expected.values())
    assert entry["pairs_problem"] == problems > 0
    listed = daemon.get("/v1/accounts")

    def summary(accounts):  # the old Status does not know CLOSED
        return {a["account_id"]: (a["name"], a["unit_path"], a["state"].replace(
            "CLOSED", "SUSPENDED")) for a in accounts}
    assert summary(listed["accounts"]) == summary(truth["accounts"])
    assert {u["unit_id"] for u in truth["units"]} < {u["unit_id"] for u in listed["units"]}
    status = daemon.status()
    assert status["coverage"]["ok"] == states(daemon.coverage())["ok"]
    assert status["sensor"]["longest_stall_ms"] < 500 + 1000 * waited_s(daemon.process.pid)
    assert sim.stats()["signature_failures"] == 0


@pytest.mark.parametrize("partition, regions", [
    ("aws-cn", "cn-north-1,cn-northwest-1"), ("aws-us-gov", "us-gov-west-1,us-gov-east-1")])
def test_other_partitions(awssim, sensor, partition, regions):
    sim = awssim(accounts=4, partition=partition, regions=regions, seed=6)
    daemon = sensor(sim, via="proxy").start()
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    daemon.compare()


def test_a_partition_without_key_pair_origins_is_read_without_them(awssim, sensor):
    sim = awssim(accounts=6, seed=16, certs_per_region=12, refuse_origins=True)
    daemon = sensor(sim).start()
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    truth = sim.truth(reachable=1)
    # ACM hides them there from whoever cannot ask for them.
    visible = [one for one in truth["certificates"] if one["key_pair_origin"] != "ACME"]
    assert len(visible) < len(truth["certificates"])
    assert all(one["key_pair_origin"] is None for one in daemon.certificates().values())
    unknown = [{**one, "key_pair_origin": None} for one in visible]
    compare_certificates(daemon.certificates(), {"certificates": unknown})


def test_member_hub_reads_the_organization_through_the_management_role(awssim, sensor):
    sim = awssim(accounts=8, hub="member", seed=7, external_id="member-id",
                 management_has_role=True)
    ready = sim.ready
    arn = (f"arn:{ready['partition']}:iam::{ready['management_account_id']}:role/"
           f"{ready['management_role']}")
    daemon = sensor(sim, management_role_arn=arn).start()
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    daemon.compare()


def test_account_scope_reads_its_own_account_without_a_role(awssim, sensor):
    sim = awssim(accounts=5, hub="member", seed=8)
    daemon = sensor(sim, scope="account").start()
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    hub = sim.ready["hub_account_id"]
    truth = sim.truth(reachable=1)
    mine = [one for one in truth["certificates"] if one["account_id"] == hub]
    assert mine
    compare_certificates(daemon.certificates(), {"certificates": mine})
    assert {account for account, _ in daemon.coverage()} == {hub}
    assert "AssumeRole" not in str(sim.stats())


def test_listed_regions_are_not_asked_for(awssim, sensor):
    sim = awssim(seed=9, **MIXED)
    daemon = sensor(sim, regions="us-east-1, eu-central-1, ap-east-1").start()
    daemon.wait_idle()
    truth = sim.truth()
    expected = truth_coverage(truth, listed_regions=True)
    truth["certificates"] = [one for one in truth["certificates"] if expected[
        one["account_id"], one["region"]]["state"] == "ok"]
    daemon.compare(truth, listed_regions=True)
    assert "ListRegions" not in str(sim.stats()) and "DescribeRegions" not in str(sim.stats())


def test_filters_exclude_with_a_reason(awssim, sensor):
    sim = awssim(accounts=12, units=6, seed=10, regions="us-east-1,eu-west-1")
    truth = sim.truth(certificates=0)
    member = [a for a in truth["accounts"] if not a["is_hub"]]
    unit = next(a["unit_id"] for a in member if a["unit_id"] != truth["root_id"])
    path = next(a["unit_path"] for a in member if a["unit_id"] == unit)
    left_out = next(a["account_id"] for a in member if not a["unit_path"].startswith(path))
    daemon = sensor(sim, exclude_units=unit, exclude_accounts=left_out, regions="us-east-1").start()
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    coverage = daemon.coverage()
    for account in truth["accounts"]:
        is_out = account["account_id"] == left_out or \
            (account["unit_path"] + "/").startswith(path + "/")
        one = coverage[account["account_id"], "us-east-1"]
        assert one["state"] == ("excluded" if is_out else "ok"), one
        assert bool(one["reason"]) == is_out
    assert {region for _, region in coverage} == {"us-east-1"}
    assert {one["region"] for one in daemon.certificates().values()} == {"us-east-1"}


def test_two_connectors_share_an_account_by_their_order(awssim, sensor):
    sim = awssim(accounts=6, seed=11, management_has_role=True)
    accounts = sorted(a["account_id"] for a in sim.truth(certificates=0)["accounts"])
    first, rest = ",".join(accounts[:2]), set(accounts[2:])
    daemon = sensor(sim, connectors={
        "one": {"include_accounts": first, "regions": "us-east-1"}, "two": {}}).start()
    entries = daemon.wait_idle()
    assert {entry["result"] for entry in entries.values()} == {"complete"}
    one = daemon.coverage(connector="one")
    two = daemon.coverage(connector="two")
    for (account, region), row in two.items():
        is_taken = account not in rest and region == "us-east-1"
        assert row["state"] == ("excluded" if is_taken else "ok"), row
        assert ("connector one" in (row["reason"] or "")) == is_taken
        if is_taken:
            assert one[account, region]["state"] == "ok"
    compare_certificates(daemon.certificates(), sim.truth(reachable=1))
    for certificate in daemon.certificates().values():
        is_first = certificate["account_id"] not in rest and certificate["region"] == "us-east-1"
        assert certificate["connector"] == ("one" if is_first else "two")


def test_import_valid_leaves_expired_and_revoked_ones_out(awssim, sensor):
    sim = awssim(accounts=6, certs_per_region=15, seed=12)
    daemon = sensor(sim, **{"import": "valid"}).start()
    daemon.wait_idle()
    truth = sim.truth(reachable=1)
    wanted = [one for one in truth["certificates"] if one["status"] not in ("EXPIRED", "REVOKED")
              and (one["not_after"] is None or one["not_after"] > truth["now"])]
    assert 0 < len(wanted) < len(truth["certificates"])
    compare_certificates(daemon.certificates(), {"certificates": wanted})
    # What is in the inventory stays tracked when it expires.
    changed = sim.mutate("expire", count=3)
    daemon.scan()
    found = daemon.certificates()
    assert all(found[arn]["expired"] for arn in set(changed) & {one["arn"] for one in wanted})


def test_a_later_cycle_follows_every_change_and_costs_little(awssim, sensor):
    sim = awssim(accounts=10, certs_per_region=6, seed=13, regions="us-east-1,eu-west-1")
    daemon = sensor(sim).start()
    daemon.wait_idle()
    before = daemon.certificates()
    sim.reset_stats()
    entry = daemon.scan()
    pairs, accounts = entry["pairs_done"], entry["accounts_done"]
    pending = [one for one in before.values() if one["status"] == "PENDING_VALIDATION"]
    ending = [one for one in before.values() if 0 <= (one["days_left"] or -1) <= 60]
    # A list per account-region, a role and its regions per account, the walk; and what is looked
    # at each cycle.
    assert entry["calls"] <= pairs + 2 * accounts + 40 + 3 * (len(pending) + len(ending))
    renewed = sim.mutate("renew", count=3)
    reimported = sim.mutate("reimport", count=3)
    removed = sim.mutate("remove", count=3)
    added = sim.mutate("add", count=3)
    sim.mutate("in_use", count=3)
    daemon.scan()
    truth = sim.truth(reachable=1)
    compare_certificates(daemon.certificates(), truth)
    everything = daemon.certificates(gone=1)
    for arn in set(removed) - {one["arn"] for one in truth["certificates"]}:
        assert everything[arn]["gone"] and everything[arn]["gone_since"]
    kinds = {(event["kind"], event["arn"]) for event in daemon.events()}
    still = {one["arn"] for one in truth["certificates"]}
    assert {("certificate_renewed", arn) for arn in set(renewed) & still - set(reimported)} <= kinds
    assert {("certificate_reimported", arn) for arn in set(reimported) & still} <= kinds
    assert {("certificate_gone", arn) for arn in removed if arn in before} <= kinds
    assert {("certificate_appeared", arn) for arn in set(added) & still} <= kinds


def test_accounts_and_regions_that_change_their_state(awssim, sensor):
    sim = awssim(accounts=10, certs_per_region=4, seed=14)
    daemon = sensor(sim).start()
    daemon.wait_idle()
    before = daemon.certificates()
    suspended = sim.mutate("suspend_account", count=1)
    broken = sim.mutate("break_role", count=1)
    sim.mutate("disable_region", count=1)
    sim.mutate("deny_region", count=1)
    daemon.scan()
    after = states(daemon.coverage())
    assert after["account_inactive"] and after["role_unassumable"] and after["region_disabled"] \
        and after["denied_by_scp"]
    # Nothing that was known is lost, whatever cannot be read now.
    assert set(daemon.certificates()) == set(before)
    lost = [row for row in daemon.coverage().values() if row["state"] == "role_unassumable"]
    assert lost and all(row["last_success"] and row["certificates"] for row in lost
                        if row["region"] == "us-east-1")
    for account, state in ((suspended, "ACTIVE -> SUSPENDED"), (broken, None)):
        details = [e["detail"] for e in daemon.events() if e["kind"] == "account_changed"]
        assert state is None or any(state in detail for detail in details), account
    sim.mutate("restore_role", account=lost[0]["account_id"])
    daemon.scan(account=lost[0]["account_id"])
    assert {row["state"] for row in daemon.coverage(account=lost[0]["account_id"]).values()} == {"ok"}


def test_what_policy_denies_is_asked_again_rarely_but_by_hand_at_once(awssim, sensor):
    sim = awssim(accounts=6, seed=15, acm_denied=1, no_role=1)
    daemon = sensor(sim).start()
    daemon.wait_idle()
    denied = {pair for pair, row in daemon.coverage(problems=1).items()}
    assert denied
    daemon.stop()
    # A restart with everything read: nothing is due.
    sim.reset_stats()
    daemon.start()
    assert daemon.progress() == []
    assert sim.stats()["requests"] == 0
    daemon.scan()
    assert {pair for pair, row in daemon.coverage(problems=1).items()} == denied
    rows = daemon.coverage(problems=1).values()
    assert all(row["failures_in_row"] == 2 for row in rows)
