"""Whatever a job waits for, its record says until when and why; AssumeRole's answer, which a job
needs before it can ask anything, is replaced like any other."""
import time

import pytest

from awssim import seconds_of
from bundle import new_key
from desk import REGION
from test_delivery_answers import TROUBLES, wait_all

SEEN_S = 20
STEPS = {  # of a delivery, in the order in which its calls are made
    "AssumeRole": "throttle",
    "GetSecretValue": "throttle",
    "ImportCertificate": "throttle",
    "ListTagsForCertificate": "http500",
    "DescribeCertificate": "throttle",
    "GetCertificate": "reset",
}
WORDS = {"throttle": "throttl", "http500": "500", "reset": "connection"}


def member(at):
    return next(one for one in at.accounts if one != at.account)


def wait_for_wait(at, job_id, word):
    """The job as soon as it says that it waits, and why."""
    end = time.monotonic() + SEEN_S
    while True:
        job = at.job(job_id)
        if job["next_attempt"] and word in job["reason"].lower():
            return job
        assert job["state"] == "running" and time.monotonic() < end, job
        time.sleep(0.02)


@pytest.mark.parametrize("operation, trouble", STEPS.items())
def test_each_wait_has_a_visible_next_attempt(desk, ec, operation, trouble):
    at = desk(flags={"accounts": 2, "units": 0}, options={"key_escrow": "secretsmanager"},
              skips_time=True)
    at.sensor.wait_idle()
    bundle = ec.issue("www.example.com", key=new_key("ec256"))
    plan = at.plan(bundle, account=member(at))
    at.sim.faults({"kind": trouble, "probability": 1, "operation": operation})
    job_id = at.apply(plan)
    job = wait_for_wait(at, job_id, WORDS[trouble])
    assert seconds_of(job["next_attempt"]) >= seconds_of(job["updated"]), job
    assert operation in job["reason"], job
    assert any(step["failure"] and operation in step["text"] for step in job["steps"]), job
    at.sim.faults()
    job = wait_all(at, {job_id})[job_id]
    assert job["state"] == "succeeded", job
    assert len(at.imported()) == 1


def test_a_job_that_has_not_begun_says_so(desk, ec):
    """ACM takes one import a second in an account and region, so few jobs of one run there."""
    at = desk(skips_time=True)
    bundles = [ec.issue(f"w{n}.example.com", key=new_key("ec256")) for n in range(8)]
    plans = [at.plan(bundle) for bundle in bundles]
    ids = [at.apply(plan) for plan in plans]
    waiting = [job for job in map(at.job, ids) if job["reason"] == "waits for its turn"]
    assert waiting and all(job["state"] == "running" for job in waiting), [at.job(one)["reason"] for one in ids]
    assert {job["state"] for job in wait_all(at, set(ids)).values()} == {"succeeded"}


def test_imports_of_a_place_keep_acms_pace_and_places_go_side_by_side(desk, ec):
    each, at = 4, desk(flags={"accounts": 3, "units": 0})
    at.sensor.wait_idle()
    members = [one for one in at.accounts if one != at.account]
    plans = [at.plan(ec.issue(f"p{n}.example.com", key=new_key("ec256")), account=account)
             for n in range(each) for account in members]
    at.sim.faults(rate_scale=1)  # from here on AWS throttles as it does
    at.sim.reset_stats()
    jobs = [at.wait(job_id) for job_id in [at.apply(plan) for plan in plans]]
    assert {job["state"] for job in jobs} == {"succeeded"}
    imports = at.sim.stats()["operations"]["acm:ImportCertificate"]
    assert imports["throttles"] <= 1, imports  # one: this machine held up two of them
    times = [[seconds_of(one["at"]) for one in at.sim.imports() if f":{account}:" in one["arn"]]
             for account in members]
    assert [len(one) for one in times] == [each] * len(members)
    assert all(max(one) - min(one) >= each - 2 for one in times), times  # AWS takes two at once
    assert max(min(one) for one in times) <= min(max(one) for one in times), times


@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_answer_of_assume_role_is_replaced(desk, ec, trouble):
    at = desk(flags={"accounts": 2, "units": 0}, skips_time=True)
    at.sensor.wait_idle()
    bundle = ec.issue("www.example.com", key=new_key("ec256"))
    plan = at.plan(bundle, account=member(at), region=REGION)
    at.sim.reset_stats()
    at.sim.faults({**TROUBLES[trouble], "probability": 1, "operation": "AssumeRole", "count": 1})
    job_id = at.apply(plan)
    job = wait_all(at, {job_id})[job_id]
    assert job["state"] == "succeeded", job
    assert at.sim.stats()["operations"]["sts:AssumeRole"]["faults"] == 1
    assert [one["serial"].lstrip("0") for one in at.sim.truth()["certificates"]
            if one["type"] == "IMPORTED"] == [bundle.serial.lstrip("0")]
