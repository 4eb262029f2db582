"""The proof of a delivery and the automatic way back: what hosts serve, what ACM holds, for how long
that is waited, and how it is shown."""
import time

import pytest

from bundle import der
from cli import Cli
from ports import free_port
from waiting import wait_until

PATIENCE_OF_VERIFY_S, PATIENCE_OF_OTHER_S = 300, 60


class Hosts:
    """An ARN that serves its first certificate on one port; a port that another ARN serves, one
    that nobody listens at; and a plan for the second certificate that verifies all three."""

    def __init__(self, at, ec, **more):
        self.at = at
        self.first = ec.issue("www.example.com")
        self.second = ec.issue("www.example.com", number=1, days=(-1, 200))
        self.stranger = ec.issue("www.example.com", number=2)
        self.arn = at.deliver(self.first)[1]["arn"]
        self.follows = at.sim.bind(self.arn)["port"]
        other = at.sim.bind(at.held(self.stranger))
        self.stays, self.stays_id = other["port"], other["id"]
        self.closed = free_port()
        self.hosts = [f"127.0.0.1:{port}" for port in (self.follows, self.stays, self.closed)]
        self.plan = at.plan(self.second, arn=self.arn, verify_hosts=self.hosts, **more)
        self.cli = Cli("--socket", at.sensor.socket)

    def outcomes(self, job):
        return {host["host"]: host["outcome"] for host in job["evidence"]["hosts"]}

    def expect_shown(self, job):
        """Each outcome, by the API and to whoever reads `acmsensor jobs ID`."""
        wanted = dict(zip(self.hosts, ["served", "other certificate", "not reachable"]))
        assert self.outcomes(job) == wanted
        shown = self.cli.out("jobs", job["id"], columns=200)
        for host, outcome in wanted.items():
            assert f"{host}: {outcome}" in shown, shown
        assert f"other certificate, serial {self.stranger.serial.lstrip('0')}" in \
            shown.replace("serial 0", "serial "), shown


def rollback_of(at, job):
    """The job that undoes it, when it has ended."""
    found = [one for one in at.sensor.get("/v1/jobs")["jobs"] if one["of_job"] == job["id"]]
    assert len(found) == 1, found
    return at.wait_skipping(found[0]["id"])


def test_each_outcome_is_shown_and_a_host_that_does_not_follow_is_a_warning(desk, ec):
    at = desk(skips_time=True)
    hosts = Hosts(at, ec)
    begin = at.time.now()
    job = at.wait_skipping(at.apply(hosts.plan))
    assert at.time.now() - begin >= PATIENCE_OF_VERIFY_S
    assert job["state"] == "succeeded" and "warning" in job["reason"], job
    hosts.expect_shown(job)
    assert f"served by 1 of 3 hosts; warning: {hosts.hosts[1]} still serves another certificate" \
        in job["reason"]
    assert at.serial(hosts.arn) == hosts.second.serial.lstrip("0")
    assert len(at.sensor.get("/v1/jobs")["jobs"]) == 2  # nothing was rolled back


def test_rolled_back_when_a_host_serves_another_one_past_the_window(desk, ec):
    at = desk(skips_time=True)
    hosts = Hosts(at, ec, auto_rollback=True)
    begin = at.time.now()
    job = at.wait_skipping(at.apply(hosts.plan))
    assert at.time.now() - begin >= PATIENCE_OF_VERIFY_S
    assert job["state"] == "failed" and f"; rollback {job['rollback']} was ordered" in job["reason"], job
    assert hosts.hosts[1] in job["reason"]
    hosts.expect_shown(job)
    back = rollback_of(at, job)
    assert back["id"] == job["rollback"]
    assert back["kind"] == "rollback" and back["state"] == "restored", back
    assert at.serial(hosts.arn) == hosts.first.serial.lstrip("0")
    assert at.sim.served(hosts.follows) == der(hosts.first.leaf)
    imports = [one["serial"].lstrip("0") for one in at.sim.imports() if one["arn"] == hosts.arn]
    assert imports == [one.serial.lstrip("0") for one in (hosts.first, hosts.second, hosts.first)]


def test_who_waits_sees_the_automatic_rollback_through(desk, ec):
    at = desk(skips_time=True)
    hosts = Hosts(at, ec, auto_rollback=True)
    process = hosts.cli.start("apply", hosts.plan["id"], "--wait")
    while process.poll() is None:
        at.time.skip_waits(at.sensor.get("/v1/jobs")["jobs"])
        time.sleep(0.02)
    out, said = process.communicate()
    text = " ".join(out.decode().split())
    (back,) = [one for one in at.sensor.get("/v1/jobs")["jobs"] if one["of_job"]]
    assert process.returncode == 1 and back["state"] == "restored", text
    assert f"rollback {back['id']} is followed" in said.decode()
    assert f"rollback {back['id']} was ordered" in text and "rollback restored ACM holds serial" in text
    assert f"rollback {back['of_job']} --wait" not in text  # it is done


def test_a_host_that_follows_within_the_window_is_waited_for(desk, ec):
    """Also with automatic rollback: what is late is no reason for it."""
    at = desk(skips_time=True)
    hosts = Hosts(at, ec, auto_rollback=True)
    begin = at.time.now()
    job = at.job(at.apply(hosts.plan))
    while at.time.now() - begin < PATIENCE_OF_VERIFY_S - 80:
        at.time.skip_waits([at.job(job["id"])])
    at.sim.bind(hosts.arn, id=hosts.stays_id, replace=True)
    job = at.wait_skipping(job["id"])
    assert job["state"] == "succeeded" and "served by 2 of 3 hosts" in job["reason"], job
    assert list(hosts.outcomes(job).values()) == ["served", "served", "not reachable"]
    assert any("served by 1 of 3 hosts, 1 with another certificate, 1 not reachable" in step["text"]
               for step in job["steps"]), job["steps"]


@pytest.mark.parametrize("is_asked", [True, False])
def test_acm_holds_neither_serial(desk, ec, is_asked):
    """Somebody else imports right after the job did: rolled back when that was asked for, else
    said and left alone."""
    at = desk(skips_time=True)
    first, second, third = (ec.issue("www.example.com", number=n) for n in range(3))
    arn = at.deliver(first)[1]["arn"]
    plan = at.plan(second, arn=arn, auto_rollback=is_asked)
    # After its import the job waits at the tags until the other import is done.
    at.sim.faults({"kind": "http500", "operation": "ListTagsForCertificate", "probability": 1,
                   "skip": 1})
    job_id = at.apply(plan)
    wait_until(lambda: at.serial(arn) == second.serial.lstrip("0"), what="the import")
    at.held(third, CertificateArn=arn)
    at.sim.faults()
    begin = at.time.now()
    job = at.wait_skipping(job_id)
    assert at.time.now() - begin >= PATIENCE_OF_OTHER_S
    assert job["state"] == "failed" and "neither the old one" in job["reason"], job
    for bundle in (first, second, third):
        assert bundle.serial.lstrip("0") in job["reason"]
    if not is_asked:
        assert at.serial(arn) == third.serial.lstrip("0")
        assert [one for one in at.sensor.get("/v1/jobs")["jobs"] if one["of_job"]] == []
        return
    back = rollback_of(at, job)
    assert back["state"] == "restored" and back["old_serial"].lstrip("0") == \
        third.serial.lstrip("0"), back
    assert at.serial(arn) == first.serial.lstrip("0")


def test_no_rollback_without_the_key_and_the_job_says_why(desk, ec):
    at = desk(skips_time=True)
    arn = at.held(ec.issue("www.example.com"))
    second = ec.issue("www.example.com", number=1)
    stays = at.sim.bind(at.held(ec.issue("www.example.com", number=2)))["port"]
    plan = at.plan(second, arn=arn, verify_hosts=[f"127.0.0.1:{stays}"], auto_rollback=True)
    job = at.wait_skipping(at.apply(plan))
    assert job["state"] == "succeeded" and "no way back" in job["reason"], job
    assert "key" in job["reason"]
    assert at.serial(arn) == second.serial.lstrip("0")
    assert len(at.sensor.get("/v1/jobs")["jobs"]) == 1
