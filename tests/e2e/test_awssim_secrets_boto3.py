"""The simulated Secrets Manager, seen by boto3 and the AWS CLI."""
import hashlib
import json
import subprocess
import time
import uuid

import botocore.exceptions
import pytest

REGION = "us-east-1"
FLAGS = {"accounts": 3, "certs_per_region": 0, "regions": "us-east-1,eu-central-1",
         "rate_scale": 0}


def refused(call, code, **params):
    with pytest.raises(botocore.exceptions.ClientError) as why:
        call(**params)
    error = why.value.response["Error"]
    assert error["Code"] == code, error
    return error["Message"]


def token():
    return str(uuid.uuid4())


def of_name(sim, name):
    return [s for s in sim.secrets() if s["name"] == name]


@pytest.fixture
def sim(awssim):
    return awssim(**FLAGS)


@pytest.fixture
def client(sim):
    return sim.boto3("secretsmanager", region=REGION)


def test_a_secret_through_its_life(sim, client):
    made = client.create_secret(
        Name="acmsensor/a", SecretString="first", Description="a key", KmsKeyId="alias/own",
        Tags=[{"Key": "owner", "Value": "sensor"}])
    assert made["ARN"].startswith("arn:aws:secretsmanager:us-east-1:")
    assert made["ARN"].split(":secret:")[1][:-6] == "acmsensor/a-"
    for name in ("acmsensor/a", made["ARN"], made["ARN"][:-7]):
        got = client.get_secret_value(SecretId=name)
        assert got["SecretString"] == "first" and got["VersionStages"] == ["AWSCURRENT"]
        assert got["VersionId"] == made["VersionId"] and got["ARN"] == made["ARN"]
    second = client.put_secret_value(SecretId="acmsensor/a", SecretBinary=b"\0second\xff")
    assert second["VersionStages"] == ["AWSCURRENT"]
    assert client.get_secret_value(SecretId="acmsensor/a")["SecretBinary"] == b"\0second\xff"
    old = client.get_secret_value(SecretId="acmsensor/a", VersionStage="AWSPREVIOUS")
    assert old["SecretString"] == "first"
    assert client.get_secret_value(SecretId="acmsensor/a", VersionId=made["VersionId"])[
        "SecretString"] == "first"
    told = client.describe_secret(SecretId="acmsensor/a")
    assert told["KmsKeyId"] == "alias/own" and told["Description"] == "a key"
    assert told["Tags"] == [{"Key": "owner", "Value": "sensor"}] and "DeletedDate" not in told
    assert told["VersionIdsToStages"] == {made["VersionId"]: ["AWSPREVIOUS"],
                                          second["VersionId"]: ["AWSCURRENT"]}
    client.tag_resource(SecretId="acmsensor/a", Tags=[{"Key": "more", "Value": ""}])
    client.untag_resource(SecretId="acmsensor/a", TagKeys=["owner", "none"])
    assert client.describe_secret(SecretId="acmsensor/a")["Tags"] == [{"Key": "more", "Value": ""}]
    known, = of_name(sim, "acmsensor/a")
    assert known["state"] == "active" and known["tags"] == {"more": ""}
    assert known["versions"][1]["sha256"] == hashlib.sha256(b"\0second\xff").hexdigest()
    assert "second" not in json.dumps(sim.secrets()) and "first" not in json.dumps(sim.secrets())


def test_tokens_make_calls_idempotent(client):
    same = token()
    first = client.create_secret(Name="a", SecretString="x", ClientRequestToken=same)
    assert client.create_secret(Name="a", SecretString="x", ClientRequestToken=same)["ARN"] == \
        first["ARN"]
    assert first["VersionId"] == same
    refused(client.create_secret, "ResourceExistsException", Name="a", SecretString="y",
            ClientRequestToken=same)
    refused(client.create_secret, "ResourceExistsException", Name="a", SecretString="x")
    other = token()
    for _ in range(2):
        client.put_secret_value(SecretId="a", SecretString="z", ClientRequestToken=other)
    refused(client.put_secret_value, "ResourceExistsException", SecretId="a", SecretString="w",
            ClientRequestToken=other)
    assert len(client.describe_secret(SecretId="a")["VersionIdsToStages"]) == 2


def test_what_is_refused(sim, client):
    for name in ("a b", "ä", "a" * 513):
        refused(client.create_secret, "InvalidParameterException", Name=name, SecretString="x")
    refused(client.create_secret, "InvalidParameterException", Name="a", SecretString="x",
            SecretBinary=b"x")
    refused(client.create_secret, "InvalidParameterException", Name="a",
            SecretString="x" * 65537)
    for tags in ([{"Key": "aws:x", "Value": "v"}], [{"Key": "k", "Value": "v"}] * 2,
                 [{"Key": f"k{i}", "Value": ""} for i in range(51)]):
        refused(client.create_secret, "InvalidParameterException", Name="a", SecretString="x",
                Tags=tags)
    refused(client.put_secret_value, "ResourceNotFoundException", SecretId="a", SecretString="x")
    refused(client.get_secret_value, "ResourceNotFoundException", SecretId="a")
    refused(client.describe_secret, "ResourceNotFoundException", SecretId="a")
    refused(client.delete_secret, "ResourceNotFoundException", SecretId="a")
    arn = client.create_secret(Name="a", SecretString="x" * 65536)["ARN"]
    refused(client.get_secret_value, "ResourceNotFoundException", SecretId="a",
            VersionStage="NONE")
    refused(client.put_secret_value, "InvalidParameterException", SecretId="a")
    member = [a["account_id"] for a in sim.truth()["accounts"] if not a["is_hub"]][0]
    elsewhere = sim.boto3("secretsmanager", region=REGION, keys=sim.assume(member))
    refused(elsewhere.get_secret_value, "AccessDeniedException", SecretId=arn)
    refused(elsewhere.get_secret_value, "ResourceNotFoundException", SecretId="a")
    refused(sim.boto3("secretsmanager", region="eu-central-1").get_secret_value,
            "ResourceNotFoundException", SecretId="a")
    client.create_secret(Name="empty")
    refused(client.get_secret_value, "ResourceNotFoundException", SecretId="empty")


def test_a_recovery_window(sim, client):
    client.create_secret(Name="a", SecretString="x")
    refused(client.delete_secret, "InvalidParameterException", SecretId="a",
            RecoveryWindowInDays=6)
    refused(client.delete_secret, "InvalidParameterException", SecretId="a",
            RecoveryWindowInDays=7, ForceDeleteWithoutRecovery=True)
    gone = client.delete_secret(SecretId="a", RecoveryWindowInDays=7)
    days = (gone["DeletionDate"].timestamp() - time.time()) / 86400
    assert 6.9 < days < 7.1
    for call, more in ((client.get_secret_value, {}), (client.put_secret_value,
                                                       {"SecretString": "y"}),
                       (client.delete_secret, {}),
                       (client.tag_resource, {"Tags": [{"Key": "k", "Value": "v"}]})):
        refused(call, "InvalidRequestException", SecretId="a", **more)
    assert "scheduled for deletion" in refused(
        client.create_secret, "InvalidRequestException", Name="a", SecretString="x")
    assert "DeletedDate" in client.describe_secret(SecretId="a")
    assert not client.list_secrets()["SecretList"]
    client.restore_secret(SecretId="a")
    assert client.get_secret_value(SecretId="a")["SecretString"] == "x"
    client.delete_secret(SecretId="a")
    sim.clock(advance_s=31 * 86400)
    assert of_name(sim, "a")[0]["state"] == "gone"
    sim.clock(offset_s=0)
    refused(client.get_secret_value, "ResourceNotFoundException", SecretId="a")


def test_a_forced_deletion(sim, client):
    client.create_secret(Name="a", SecretString="x", Tags=[{"Key": "k", "Value": "v"}])
    client.delete_secret(SecretId="a", ForceDeleteWithoutRecovery=True)
    refused(client.get_secret_value, "ResourceNotFoundException", SecretId="a")
    assert client.delete_secret(SecretId="a", ForceDeleteWithoutRecovery=True)["Name"] == "a"
    known, = of_name(sim, "a")
    assert known["state"] == "gone" and known["forced"] and known["deleted_at"]
    assert known["tags"] == {"k": "v"}
    sim.secretsmanager(forced_delete_ms=1000)
    client.create_secret(Name="b", SecretString="x")
    client.delete_secret(SecretId="b", RecoveryWindowInDays=30)
    client.delete_secret(SecretId="b", ForceDeleteWithoutRecovery=True)
    refused(client.get_secret_value, "InvalidRequestException", SecretId="b")
    refused(client.create_secret, "InvalidRequestException", Name="b", SecretString="x")
    time.sleep(1.1)
    client.create_secret(Name="b", SecretString="y")
    assert [s["state"] for s in of_name(sim, "b")] == ["gone", "active"]


def test_listing_pages_and_filters(client):
    for i in range(7):
        client.create_secret(Name=f"key/{i}", SecretString="x", Description=f"Number {i}",
                             Tags=[{"Key": "managed-by", "Value": "acmsensor"},
                                   {"Key": f"n{i}", "Value": "v"}])
    client.create_secret(Name="other", SecretString="x")

    def names(**params):
        found, more = [], {}
        while True:
            page = client.list_secrets(MaxResults=3, **params, **more)
            found += [s["Name"] for s in page["SecretList"]]
            if "NextToken" not in page:
                return found
            more = {"NextToken": page["NextToken"]}

    keys = [f"key/{i}" for i in range(7)]
    assert names() == keys + ["other"] and names(SortOrder="desc") == ["other"] + keys[::-1]
    assert names(Filters=[{"Key": "tag-key", "Values": ["managed"]}]) == keys
    assert names(Filters=[{"Key": "tag-key", "Values": ["managed-by"]},
                          {"Key": "tag-value", "Values": ["acmsensor", "x"]},
                          {"Key": "name", "Values": ["key/1", "key/2"]}]) == keys[1:3]
    assert names(Filters=[{"Key": "tag-key", "Values": ["!managed"]}]) == ["other"]
    assert names(Filters=[{"Key": "description", "Values": ["number 3"]}]) == keys[3:4]
    assert names(Filters=[{"Key": "all", "Values": ["oth"]}]) == ["other"]
    client.delete_secret(SecretId="other")
    assert names() == keys
    first = client.list_secrets(MaxResults=3)["NextToken"]
    refused(client.list_secrets, "InvalidNextTokenException", MaxResults=4, NextToken=first)
    refused(client.list_secrets, "InvalidParameterException", MaxResults=101)
    tags = client.list_secrets(MaxResults=1)["SecretList"][0]["Tags"]
    assert {"Key": "managed-by", "Value": "acmsensor"} in tags


def test_late_reads_keys_that_fail_and_lost_answers(sim, client):
    sim.consistency(delay_ms=800)
    client.create_secret(Name="a", SecretString="x", KmsKeyId="k")
    refused(client.get_secret_value, "ResourceNotFoundException", SecretId="a")
    assert not client.list_secrets()["SecretList"]
    time.sleep(0.9)
    assert client.get_secret_value(SecretId="a")["SecretString"] == "x"
    sim.consistency(reset=True)
    sim.secretsmanager(decrypt_fails=True, encrypt_fails=True)
    refused(client.get_secret_value, "DecryptionFailure", SecretId="a")
    refused(client.put_secret_value, "EncryptionFailure", SecretId="a", SecretString="y")
    refused(client.create_secret, "EncryptionFailure", Name="b", SecretString="y", KmsKeyId="k")
    client.create_secret(Name="b", SecretString="y")
    sim.mutate("deny_action", action="secretsmanager:CreateSecret")
    refused(client.create_secret, "AccessDeniedException", Name="c", SecretString="y")
    sim.mutate("allow_action", action="secretsmanager:CreateSecret")
    sim.faults({"kind": "reset", "operation": "CreateSecret", "after": True, "count": 1})
    with pytest.raises(botocore.exceptions.HTTPClientError):
        client.create_secret(Name="c", SecretString="y")
    assert of_name(sim, "c")[0]["state"] == "active"


def test_rates_are_shared_by_the_writes(awssim):
    sim = awssim(**{**FLAGS, "rate_scale": 0.02})
    client = sim.boto3("secretsmanager", region=REGION)
    client.create_secret(Name="a", SecretString="x")
    refused(client.put_secret_value, "ThrottlingException", SecretId="a", SecretString="y")
    client.get_secret_value(SecretId="a")


def test_real_host_names_and_the_aws_cli(sim):
    client = sim.boto3("secretsmanager", region="eu-central-1", via="proxy")
    client.create_secret(Name="a", SecretString="x")
    done = subprocess.run(
        ["aws", "secretsmanager", "get-secret-value", "--secret-id", "a"],
        env=sim.environment("proxy", region="eu-central-1"), capture_output=True, check=False,
        text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["SecretString"] == "x"
