"""The IAM policies of the README: together they allow what the daemon asks AWS, and nothing besides."""
import json
import re

from awssim import ROOT
from waiting import wait_until

# Actions that come with another one, and which AWS asks itself: who may tag a secret that is made, and
# what Secrets Manager does with the key.
WITH_OTHERS = {"secretsmanager:TagResource", "kms:GenerateDataKey", "kms:Decrypt"}
NO_RIGHT_NEEDED = {"sts:GetCallerIdentity"}
FALLBACK = {"ec2:DescribeRegions"}


def policies():
    """Statements by their ids."""
    blocks = re.findall(r"(?ms)^```json\n(.*?)^```", (ROOT / "README.md").read_text())
    found = {}
    for statement in (one for block in blocks for one in json.loads(block)["Statement"]):
        if "Principal" not in statement:
            actions = statement["Action"]
            found[statement["Sid"]] = {actions} if isinstance(actions, str) else set(actions)
    return found


def asked(sim):
    return set(sim.stats()["operations"])


def test_a_delivery_from_plan_to_deletion(desk, ec):
    at = desk(options={"key_escrow": "secretsmanager", "kms_key_id": "alias/acmsensor"}, skips_time=True)
    member = next(one for one in at.accounts if one != at.account)
    at.sensor.wait_idle()
    _, job = at.deliver(ec.issue("www.example.com"), account=member)
    at.deliver(ec.issue("www.example.com", number=1), account=member, arn=job["arn"], tags={"team": "web"})
    deletion = at.wait(at.post("/v1/delete", arn=job["arn"])["job"]["id"])
    assert deletion["state"] == "succeeded", deletion
    at.time.skip(2 * 3600)  # to the next search for what a crash may have left
    wait_until(lambda: "secretsmanager:ListSecrets" in asked(at.sim), what="the search")
    allowed = set().union(*policies().values())
    assert asked(at.sim) - NO_RIGHT_NEEDED <= allowed
    assert allowed - WITH_OTHERS - FALLBACK <= asked(at.sim)
