"""Whoever reads the inventory while a scan writes sees each certificate once and misses none."""
import json

from cli import Cli
from test_torture_api import Client
from torture import clean_scan, dose

# Some 2 MB of certificates: a listing takes several slices, and more than a socket holds.
MANY = dict(accounts=30, units=2, regions="us-east-1,eu-west-1", certs_per_region=25, rate_scale=0)
MOVES = ["expire", "renew", "reimport"]  # in the order of expiry: backward, then forward


def started(awssim, sensor, seed):
    sim = awssim(seed=seed, **MANY)
    daemon = sensor(sim).start()
    daemon.wait_idle()
    return sim, daemon, set(daemon.certificates())


def expect_each_once(document, always):
    arns = [one["arn"] for one in json.loads(document)["certificates"]]
    assert len(arns) == len(set(arns)), f"{len(arns) - len(set(arns))} came twice"
    assert always <= set(arns), f"{len(always - set(arns))} of {len(always)} were missed"


def test_a_listing_is_whole_at_any_moment_of_a_scan(awssim, sensor):
    sim, daemon, always = started(awssim, sensor, 41)
    cli = Cli("--socket", daemon.socket)
    listings = 0
    for i in range(dose(4, 30)):
        sim.mutate(MOVES[i % len(MOVES)], percent=60, seed=i)
        ids = set(daemon.ask()["cycle_ids"])
        while not ids <= {entry["cycle_id"] for entry in daemon.progress() if entry["result"]}:
            for sort in ("expires", "domain"):
                expect_each_once(cli.out("-o", "json", "certs", "--sort", sort), always)
                listings += 1
        daemon.wait_for(ids)
    assert listings >= 4


def test_a_listing_that_waits_for_its_reader_is_whole(awssim, sensor):
    sim, daemon, always = started(awssim, sensor, 42)
    for op in MOVES:
        slow = [Client(daemon, timeout=60).ask(f"/v1/certificates?sort={sort}", version="1.0")
                for sort in ("expires", "domain", "arn")]
        begun = [client.socket.recv(1) for client in slow]
        assert sim.mutate(op, percent=70)
        assert clean_scan(daemon)["result"] == "complete"
        for client, first in zip(slow, begun):
            document = (first + client.read_all()).split(b"\r\n\r\n", 1)[1]
            expect_each_once(document, always)
            client.close()
