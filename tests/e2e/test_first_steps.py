"""Somebody connects an organization as the README says, with one thing wrong at a time: what is
said names what was tried, on what, and why it failed."""
import pytest

from awssim import Awssim
from torture import dose

SMALL = dict(accounts=4, units=0, regions="us-east-1", certs_per_region=2, rate_scale=0,
             role_name="acmsensor-read", external_id="first-steps")
NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""}
# What is wrong: options, environment; then the exit code and what must be said.
WRONG = {
    "role": ({"role_name": "acmsensor-reed"}, {}, 4,
             ["role_unassumable", "role/acmsensor-reed", "no such role", "AssumeRole"]),
    "external id": ({"external_id": "another"}, {}, 4,
                    ["role_unassumable", "role/acmsensor-read", "with this external id"]),
    "no external id": ({"external_id": None}, {}, 4, ["without an external id"]),
    "secret key": ({}, {"AWS_SECRET_ACCESS_KEY": "wrong"}, 1,
                   ["GetCallerIdentity", "SignatureDoesNotMatch", "Secret Access Key"]),
    "access key": ({}, {"AWS_ACCESS_KEY_ID": "AKIAWRONGWRONGWRONG1"}, 1,
                   ["GetCallerIdentity", "InvalidClientTokenId"]),
    "half the keys": ({}, {"AWS_SECRET_ACCESS_KEY": ""}, 1,
                      ["AWS_ACCESS_KEY_ID is set", "AWS_SECRET_ACCESS_KEY is not"]),
    "no keys": ({}, NO_KEYS, 1,
                ["no AWS credentials", "AWS_ACCESS_KEY_ID is not set", "no profile default"]),
    "profile": ({"auth": "profile", "profile": "nobody"}, {}, 1, ["no profile nobody"]),
    "region": ({"region": "us-north-7"}, {}, 1,
               ["GetCallerIdentity", "sts.us-north-7.amazonaws.com"]),
    "proxy": ({"proxy": "http://127.0.0.1:9"}, {}, 1,
              ["sts.us-east-1.amazonaws.com", "127.0.0.1:9", "refused"]),
    "proxy's name": ({"proxy": "http://proxy.invalid:3128"}, {}, 1,
                     ["cannot resolve proxy.invalid"]),
    "CA left out": ({"ca_bundle": None}, {}, 1,
                    ["sts.us-east-1.amazonaws.com", "local issuer certificate"]),
    "CA missing": ({"ca_bundle": "/nonexistent/ca.pem"}, {}, 1,
                   ["the CA bundle /nonexistent/ca.pem cannot be read"]),
    "CA of garbage": ({"ca_bundle": "/etc/passwd"}, {}, 1,
                      ["the CA bundle /etc/passwd", "no certificate"]),
}
BY_AWS = {
    "organization denied": ({"kind": "error", "code": "AccessDeniedException", "status": 400,
                             "service": "organizations"}, 1,
                            ["DescribeOrganization", "AccessDeniedException"]),
    "dead region": ({"kind": "dead", "service": "acm"}, 4,
                    ["unreachable", "acm.us-east-1.amazonaws.com", "no connection within"]),
}
if dose(False, True):  # it is asked for again until patience ends
    BY_AWS["portal"] = ({"kind": "html"}, 1,
                        ["GetCallerIdentity", "a web page instead of an answer"])


def expect_said(done, code, words):
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Sanitizer" not in said
    for word in words:
        assert word in said, (word, said)
    assert "awssim/base+secret" not in said
    return said


@pytest.fixture(scope="module")
def sim(tmp_path_factory):
    with Awssim(folder=tmp_path_factory.mktemp("awssim"), seed=61, **SMALL) as running:
        yield running


@pytest.mark.xdist_group("first steps")
@pytest.mark.parametrize("wrong", WRONG)
def test_one_thing_wrong_is_named(sim, sensor, wrong):
    options, environment, code, words = WRONG[wrong]
    daemon = sensor(sim, via="proxy", **{"connect_timeout": "2s", **options})
    done = daemon.run("--once", **environment)
    expect_said(done, code, words)


@pytest.mark.xdist_group("first steps")
@pytest.mark.parametrize("fault", BY_AWS)
def test_one_thing_wrong_at_the_other_end_is_named(sim, sensor, fault):
    rule, code, words = BY_AWS[fault]
    sim.faults({"probability": 1, **rule})
    daemon = sensor(sim, via="proxy", connect_timeout="1s")
    try:
        expect_said(daemon.run("--once"), code, words)
    finally:
        sim.faults()


def test_a_member_account_needs_the_management_role(awssim, sensor):
    sim = awssim(seed=62, hub="member", management_role="acmsensor-organization",
                 management_has_role=True, **SMALL)
    management = sim.ready["management_account_id"]
    said = expect_said(sensor(sim).run("--once"), 1,
                       ["may not list organization", "management_role_arn", management])
    assert "ListRoots" in said
    wrong = f"arn:aws:iam::{management}:role/acmsensor-organisation"
    expect_said(sensor(sim, management_role_arn=wrong).run("--once"), 1,
                ["management role", wrong, "no such role"])
    right = f"arn:aws:iam::{management}:role/acmsensor-organization"
    expect_said(sensor(sim, management_role_arn=right).run("--once"), 0, ["4 accounts"])


def test_an_account_needs_no_role(awssim, sensor):
    sim = awssim(seed=63, hub="member", **SMALL)
    daemon = sensor(sim, scope="account", role_name="nobody-asks-for-it", external_id=None)
    expect_said(daemon.run("--once"), 0, ["1 accounts", "1 account-regions read"])


@pytest.mark.xdist_group("first steps")
def test_keys_of_a_profile_are_enough(sim, sensor, tmp_path):
    credentials = tmp_path / "credentials"
    credentials.write_text(f"[prod]\naws_access_key_id = {sim.ready['access_key_id']}\n"
                           f"aws_secret_access_key = {sim.ready['secret_access_key']}\n")
    environment = {**NO_KEYS, "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
    daemon = sensor(sim, via="proxy", auth="profile", profile="prod")
    expect_said(daemon.run("--once", **environment), 0, ["4 accounts"])
    credentials.write_text("[prod]\naws_access_key_id = AKIDHALF\n")
    expect_said(daemon.run("--once", **environment), 2,
                [str(credentials), "prod", "no aws_secret_access_key"])
