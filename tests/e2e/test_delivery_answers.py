"""For each call of a job, its answer is replaced by an error, a throttle, a lost answer, a timeout or
an expired token: the job ends well, ACM has one certificate, and nothing is left over."""
import collections
import concurrent.futures
import time

import pytest

from bundle import new_key
from desk import PROVENANCE

TROUBLES = {
    "error": {"kind": "http500"},
    "throttle": {"kind": "throttle"},
    "lost answer": {"kind": "reset", "after": True},
    "timeout": {"kind": "stall"},
    "timeout, with effect": {"kind": "stall", "after": True},
    "expired token": {"kind": "expired_token"},
}
REGIONS = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1"]
IMPORT, TAG = "ImportCertificate", "AddTagsToCertificate"
LIST_TAGS, DESCRIBE, GET = "ListTagsForCertificate", "DescribeCertificate", "GetCertificate"
# In the order in which a job makes them, so often.
CALLS = {
    "import": [IMPORT, LIST_TAGS, DESCRIBE, GET],
    "reimport": [DESCRIBE, GET, LIST_TAGS, IMPORT, LIST_TAGS, TAG, LIST_TAGS, DESCRIBE, GET],
    "rollback": [DESCRIBE, GET, LIST_TAGS, IMPORT, LIST_TAGS, DESCRIBE, GET],
}
ENDS_S = 60


def calls_of(kind):
    """(operation, how many of it come before)"""
    seen = collections.Counter()
    for operation in CALLS[kind]:
        yield operation, seen[operation]
        seen[operation] += 1


class Case:
    """One call of one job, replaced in one way; in an account and region of its own."""

    def __init__(self, at, ec, kind, place, call, trouble):
        self.at, self.kind, self.trouble = at, kind, trouble
        self.account, self.region = place
        self.operation, self.before = call
        self.old, self.new = (ec.issue("www.example.com", key=new_key("ec256")) for _ in range(2))
        self.wanted = self.old if kind == "rollback" else self.new
        self.job = None

    def __repr__(self):
        return f"{self.kind}: {self.operation} after {self.before}: {self.trouble}"

    def prepare(self):
        place = {"account": self.account, "region": self.region}
        more = {}
        if self.kind == "reimport":  # what somebody else imported lacks our tags
            keys = self.at.sim.assume(self.account)
            acm = self.at.sim.boto3("acm", region=self.region, keys=keys)
            more = {"arn": acm.import_certificate(**self.old.order())["CertificateArn"]}
        if self.kind == "rollback":
            more = {"arn": self.at.deliver(self.old, **place)[1]["arn"]}
        self.plan = self.at.plan(self.new, **place, **more)
        if self.kind == "rollback":
            self.done = self.at.wait(self.at.apply(self.plan))
            assert self.done["state"] == "succeeded", self.done

    def rule(self):
        return {**TROUBLES[self.trouble], "probability": 1, "operation": self.operation,
                "account": self.account, "region": self.region, "skip": self.before, "count": 1}

    def begin(self):
        if self.kind == "rollback":
            self.job = self.at.post("/v1/rollback", job=self.done["id"])["job"]["id"]
        else:
            self.job = self.at.apply(self.plan)

    def check(self, job, held):
        assert job["state"] == ("restored" if self.kind == "rollback" else "succeeded"), (self, job)
        assert "warning" not in job["reason"], (self, job)
        assert [one["serial"].lstrip("0") for one in held] == [self.wanted.serial.lstrip("0")], self
        assert held[0]["arn"] == job["arn"] and PROVENANCE <= set(held[0]["tags"]), (self, held)


def wait_all(at, ids):
    """Until these jobs have ended. What they wait for passes at once; so does the time limit of a
    call that gets no answer, when all have come to rest."""
    end, last, since = time.monotonic() + ENDS_S, None, time.monotonic()
    while True:
        jobs = [job for job in at.sensor.get("/v1/jobs")["jobs"] if job["id"] in ids]
        if all(job["state"] != "running" for job in jobs):
            return {job["id"]: job for job in jobs}
        assert time.monotonic() < end, [job for job in jobs if job["state"] == "running"]
        at.time.skip_waits(jobs)
        seen = [(job["phase"], job["attempts"], job["updated"]) for job in jobs]
        if seen != last:
            last, since = seen, time.monotonic()
        elif time.monotonic() > since + 1.5:
            at.time.skip(25)
            since = time.monotonic()
        time.sleep(0.05)


@pytest.mark.long
@pytest.mark.parametrize("kind", CALLS)
def test_each_answer_of_a_job_is_replaced(desk, ec, kind):
    calls = list(calls_of(kind))
    at = desk(flags={"accounts": len(calls) + 1, "units": 0, "regions": ",".join(REGIONS)},
              skips_time=True)
    at.sensor.wait_idle()
    accounts = [one for one in at.accounts if one != at.account]
    cases = [Case(at, ec, kind, (account, region), call, trouble)
             for account, call in zip(accounts, calls)
             for region, trouble in zip(REGIONS, TROUBLES)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(Case.prepare, cases))
        at.sim.reset_stats()
        at.sim.faults(*(case.rule() for case in cases))
        list(pool.map(Case.begin, cases))
    jobs = wait_all(at, {case.job for case in cases})
    held = collections.defaultdict(list)
    for one in at.sim.truth()["certificates"]:
        if one["type"] == "IMPORTED":
            held[one["account_id"], one["region"]].append(one)
    for case in cases:
        case.check(jobs[case.job], held[case.account, case.region])
    hits = {name: one["faults"] for name, one in at.sim.stats()["operations"].items()}
    for operation in set(CALLS[kind]):
        assert hits[f"acm:{operation}"] == CALLS[kind].count(operation) * len(TROUBLES), hits


@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_answer_of_secrets_manager_is_replaced(desk, ec, trouble):
    """From the plan, which makes the secret, to the end, which deletes it."""
    at = desk(options={"key_escrow": "secretsmanager"}, skips_time=True)
    for operation in ("CreateSecret", "GetSecretValue", "DeleteSecret"):
        bundle = ec.issue("www.example.com", key=new_key("ec256"))
        at.sim.faults({**TROUBLES[trouble], "probability": 1, "operation": operation, "count": 1})
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            planning = pool.submit(at.plan, bundle)
            while "timeout" in trouble and operation == "CreateSecret" and not planning.done():
                time.sleep(0.5)
                at.time.skip(25)
            plan = planning.result()
        at.sim.reset_stats()
        job = wait_all(at, {at.apply(plan)}).popitem()[1]
        assert job["state"] == "succeeded" and at.serial(job["arn"]) == bundle.serial.lstrip("0")
        if operation != "CreateSecret":
            assert at.sim.stats()["operations"][f"secretsmanager:{operation}"]["faults"] == 1
        while any(one["state"] != "gone" for one in at.sim.secrets()):
            at.time.skip(25)  # a call that gets no answer, and the next one
            time.sleep(0.2)
    assert len(at.imported()) == len(at.sim.imports()) == 3
