"""Delivery against the simulated AWS: plan, apply, proof, rollback, and everything that must be refused."""
import base64
import json
import re
import signal
import subprocess
import time

import pytest

from awssim import seconds_of
from cli import Cli
from bundle import CLIENT, CODE_SIGNING, SERVER, der, key_pem, pem
from desk import PATIENCE_S, PROVENANCE, REGION
from waiting import wait_until


# --- the way it should go


def test_reimport_with_plan_proof_and_rollback(desk, ec):
    at = desk()
    first = ec.issue("www.example.com", "example.com", ext_key_usage=[SERVER])
    _, job = at.deliver(first, tags={"team": "web"}, certificate_id="web-1")
    arn = job["arn"]
    assert at.serial(arn) == first.serial.lstrip("0")
    tags = at.tags(arn)
    assert tags["team"] == "web" and PROVENANCE <= set(tags)
    assert tags["acmsensor:certificate-id"] == "web-1"
    at.acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "own", "Value": "x"}])
    bound = at.sim.bind(arn, names=["www.example.com"], delay_ms=500)

    second = ec.issue("www.example.com", "example.com", "new.example.com", number=1,
                      ext_key_usage=[SERVER], days=(-1, 200))
    host = f"127.0.0.1:{bound['port']}"
    plan = at.plan(second, arn=arn, verify_hosts=[host])
    assert plan["decision"] == "reimport" and plan["arn"] == arn
    assert plan["certificate_id"] == "web-1"
    assert plan["names"]["added"] == ["new.example.com"] and plan["names"]["lost"] == []
    assert plan["current"]["serial"].lstrip("0") == first.serial.lstrip("0")
    assert plan["new"]["serial"].lstrip("0") == second.serial.lstrip("0")
    assert plan["rollback"]["possible"], plan["rollback"]
    assert all(rule["verdict"] == "passed" for rule in plan["rules"]), plan["rules"]
    job = at.wait(at.apply(plan))
    assert job["state"] == "succeeded" and job["arn"] == arn, job
    assert at.serial(arn) == second.serial.lstrip("0")
    assert at.sim.served(bound["port"]) == der(second.leaf)
    assert "served" in json.dumps(job["evidence"])
    tags = at.tags(arn)
    assert tags["own"] == "x" and tags["team"] == "web"
    assert tags["acmsensor:certificate-id"] == "web-1"

    back = at.wait(at.post("/v1/rollback", job=job["id"])["job"]["id"])
    assert back["state"] == "restored", back
    assert at.serial(arn) == first.serial.lstrip("0")
    assert at.tags(arn)["own"] == "x"
    assert len(at.imported()) == 1
    assert at.sim.secrets() == []
    kinds = {event["kind"] for event in at.sensor.events()}
    assert any(kind.startswith("delivery") for kind in kinds), kinds


def test_rollback_is_impossible_with_a_key_nobody_kept_and_the_plan_says_so(desk, ec):
    at = desk()
    arn = at.held(ec.issue("www.example.com"))
    plan, job = at.deliver(ec.issue("www.example.com", number=1), arn=arn)
    assert not plan["rollback"]["possible"] and "key" in plan["rollback"]["reason"]
    message = at.refused("/v1/rollback", 409, job=job["id"])
    assert "key" in message


def test_the_last_delivery_is_rolled_back_and_once(desk, ec):
    at = desk()
    bundles = [ec.issue("www.example.com", number=number) for number in range(3)]
    arn = at.deliver(bundles[0])[1]["arn"]
    second, third = (at.deliver(bundle, arn=arn)[1]["id"] for bundle in bundles[1:])
    imports = len(at.sim.imports())
    assert at.refused("/v1/rollback", 409, job=second) == \
        f"rollback is impossible: job {third} replaced it since; roll that one back first"
    assert not at.job(second)["rollback_possible"]
    back = at.wait(at.post("/v1/rollback", job=third)["job"]["id"])
    assert back["state"] == "restored" and at.job(third)["rollback"] == back["id"]
    assert at.refused("/v1/rollback", 409, job=third) == \
        f"rollback is impossible: job {back['id']} has rolled it back already"
    assert not at.job(third)["rollback_possible"] and at.job(second)["rollback_possible"]
    assert len(at.sim.imports()) == imports + 1
    assert at.wait(at.post("/v1/rollback", job=second)["job"]["id"])["state"] == "restored"
    assert at.serial(arn) == bundles[0].serial.lstrip("0")


def test_a_plan_that_an_own_job_made_void_names_it(desk, ec):
    at = desk()
    arn = at.deliver(ec.issue("www.example.com"))[1]["arn"]
    plans = [at.plan(ec.issue("www.example.com", number=number), arn=arn) for number in (1, 2)]
    time.sleep(1.1)  # the times are of whole seconds
    first = at.wait(at.apply(plans[0]))
    assert first["state"] == "succeeded"
    told = at.refused("/v1/apply", 409, plan=plans[1]["id"])
    assert f"is void: job {first['id']} replaced the certificate (" in told
    assert told.endswith(": plan again")
    assert at.sensor.get("/v1/plans", id=plans[1]["id"])["plans"][0]["state"] == "void"


def test_a_kept_key_is_wiped_when_its_time_is_over(desk, ec):
    at = desk(skips_time=True, sensor_options="keep_keys = 2d")
    arn = at.deliver(ec.issue("www.example.com", days=(-1, 300)))[1]["arn"]
    plan, job = at.deliver(ec.issue("www.example.com", number=1, days=(-1, 300)), arn=arn)
    assert plan["rollback"]["possible"] and job["rollback_possible"]
    until = re.search(r"kept sealed until (\S+)", plan["rollback"]["reason"]).group(1)
    assert seconds_of(until) - seconds_of(plan["created"]) == 2 * 86400
    for _ in range(2):  # a day before that, and an hour after it
        assert at.job(job["id"])["rollback_possible"]
        at.time.skip(86400 + 1800)
        for _ in range(20):  # what is due every hour is done
            at.job(job["id"])
            time.sleep(0.05)
    assert "its time was over" in at.refused("/v1/rollback", 409, job=job["id"])
    # Not only by the clock: where it is put back the key is gone all the same.
    at.sensor.stop()
    at.time.skip(-at.time.seconds)
    at.start()
    assert "was wiped" in at.refused("/v1/rollback", 409, job=job["id"])
    assert len(at.sim.imports()) == 2


def test_how_long_plans_and_keys_live_follows_a_reload(desk, ec):
    at = desk(sensor_options="keep_keys = 2d\nplan_life = 10m")
    first, second = ec.issue("www.example.com"), ec.issue("www.example.com", number=1)
    arn = at.deliver(first)[1]["arn"]

    def lives():
        plan = at.plan(second, arn=arn)
        kept = re.search(r"kept sealed until (\S+)", plan["rollback"]["reason"]).group(1)
        return [seconds_of(one) - seconds_of(plan["created"]) for one in (plan["expires"], kept)]

    assert lives() == [600, 2 * 86400]
    at.sensor.configure({"prod": {"import": "all", "interval": "24h"}}, "keep_keys = 5d\nplan_life = 8h")
    at.sensor.signal(signal.SIGHUP)
    wait_until(lambda: "result=done" in at.sensor.log_text(), what="the reload")
    assert lives() == [8 * 3600, 5 * 86400]


def test_rollback_that_acm_would_refuse_is_impossible_before_anything_is_sent(desk, ec):
    at = desk()
    arn = at.deliver(ec.issue("www.example.com", ext_key_usage=[SERVER]))[1]["arn"]
    wider = ec.issue("www.example.com", number=1, ext_key_usage=[SERVER, CODE_SIGNING])
    plan, job = at.deliver(wider, arn=arn)
    assert not plan["rollback"]["possible"] and "CODE_SIGNING" in plan["rollback"]["reason"]
    assert not job["rollback_possible"]
    imports = len(at.sim.imports())
    message = at.refused("/v1/rollback", 409, job=job["id"])
    assert "impossible" in message and "CODE_SIGNING" in message
    assert len(at.sim.imports()) == imports


def test_first_import_sends_its_tags_with_it(desk, ec):
    at = desk()
    before = len(at.sim.imports())
    _, job = at.deliver(ec.issue("a.example.com"), tags={"k": "v"})
    imports = at.sim.imports()[before:]
    assert len(imports) == 1 and imports[0]["has_tags"] and not imports[0]["is_reimport"]
    assert at.tags(job["arn"])["k"] == "v"


def test_new_arn_says_which_bindings_have_to_move(desk, ec):
    at = desk()
    arn = at.held(ec.issue("www.example.com"))
    user = f"arn:aws:elasticloadbalancing:{REGION}:{at.account}:loadbalancer/app/w/1234567890abcdef"
    at.sim.bind(arn, in_use_by=user)
    plan = at.plan(ec.issue("www.example.com", number=1), arn=arn, new_arn=True)
    assert plan["decision"] == "import" and plan["bindings_to_move"] == [user]
    job = at.wait(at.apply(plan))
    assert job["state"] == "succeeded" and job["arn"] != arn
    assert len(at.imported()) == 2


def test_reimport_off_by_the_connector(desk, ec):
    at = desk(options={"reimport": "no"})
    arn = at.held(ec.issue("www.example.com"))
    plan = at.plan(ec.issue("www.example.com", number=1), arn=arn)
    assert plan["decision"] == "import" and "reimport" in plan["reason"]


def test_another_account_of_the_organization(desk, ec):
    at = desk()
    other = [a for a in at.accounts if a != at.account][0]
    _, job = at.deliver(ec.issue("b.example.com"), account=other)
    assert f":{other}:" in job["arn"]


def test_certificate_is_found_again_by_its_id(desk, ec):
    at = desk()
    _, job = at.deliver(ec.issue("c.example.com"), certificate_id="c-1")
    for _ in range(2):  # before the next cycle, and after it
        plan = at.plan(ec.issue("c.example.com", number=1), certificate_id="c-1")
        assert plan["decision"] == "reimport" and plan["arn"] == job["arn"]
        at.sensor.scan()


def test_certificate_is_found_again_by_its_id_before_any_scan(desk, ec):
    at = desk()
    plans = [at.plan(ec.issue("c.example.com", number=n), certificate_id="c-1") for n in range(2)]
    job = at.wait(at.apply(plans[0]))
    message = at.refused("/v1/apply", 409, plan=plans[1]["id"])
    assert job["id"] in message and "plan again" in message
    plan = at.plan(ec.issue("c.example.com", number=1), certificate_id="c-1")
    assert plan["decision"] == "reimport" and plan["arn"] == job["arn"]
    at.acm.delete_certificate(CertificateArn=job["arn"])
    plan = at.plan(ec.issue("c.example.com", number=1), certificate_id="c-1")
    assert plan["decision"] == "refuse" and job["arn"] in plan["reason"]
    plan = at.plan(ec.issue("c.example.com", number=1), certificate_id="c-1", new_arn=True)
    assert plan["decision"] == "import"


def warnings_of(plan):
    return {warning["name"]: warning["text"] for warning in plan["warnings"]}


def test_an_id_where_nothing_could_be_read_is_no_new_certificate(desk, ec):
    at = desk(flags={"accounts": 3, "acm_denied": 1})
    at.sensor.wait_idle()
    blind, = {account for account, _ in at.sensor.coverage(problems=1)}
    plan = at.plan(ec.issue("c.example.com"), account=blind, certificate_id="c-1")
    assert plan["decision"] == "refuse"
    assert "connector prod never read them (denied" in plan["reason"], plan["reason"]
    for more in ({"certificate_id": "c-1", "new_arn": True}, {}):
        plan = at.plan(ec.issue("c.example.com"), account=blind, **more)
        assert plan["decision"] == "import"
        assert f"cannot read account {blind} in {REGION}" in warnings_of(plan)["inventory_blind"]


def test_an_id_outlives_its_certificate(desk, ec):
    at = desk()
    first, second = ec.issue("c.example.com"), ec.issue("c.example.com", number=1)
    arns = []
    for is_scanned in (False, True):  # deleted by this sensor: at once
        arns.append(at.deliver(first, certificate_id="c-1")[1]["arn"])
        if is_scanned:
            at.sensor.scan()
        job = at.wait(at.post("/v1/delete", arn=arns[-1])["job"]["id"])
        assert job["state"] == "succeeded", job
    plan, job = at.deliver(second, certificate_id="c-1")
    assert plan["decision"] == "import" and "arn_gone" not in warnings_of(plan)
    assert job["arn"] not in arns and at.imported() == [job["arn"]]


def test_an_id_whose_certificate_others_deleted(desk, ec):
    at = desk(skips_time=True)
    first, second = ec.issue("c.example.com"), ec.issue("c.example.com", number=1)
    arn = at.deliver(first, certificate_id="c-1")[1]["arn"]
    at.sim.mutate("remove", arn=arn)
    assert at.plan(second, certificate_id="c-1")["decision"] == "refuse"
    at.time.skip(3601)
    plan, job = at.deliver(second, certificate_id="c-1")
    # What was delivered is read again by then, and the inventory may have seen it go.
    assert plan["decision"] == "import" and arn in warnings_of(plan).get("arn_gone", arn)
    assert at.imported() == [job["arn"]]
    plan = at.plan(first, certificate_id="c-1")
    assert (plan["decision"], plan["arn"]) == ("reimport", job["arn"])


def test_the_same_certificate_again_is_warned_of(desk, ec):
    at = desk()
    bundle = ec.issue("c.example.com")
    for is_scanned in (False, True):
        _, job = at.deliver(bundle) if not is_scanned else (None, job)
        if is_scanned:
            at.sensor.scan()
        assert job["arn"] in warnings_of(at.plan(bundle))["same_certificate"]


def test_places_that_the_inventory_does_not_know(desk, ec):
    at = desk()
    bundle = ec.issue("c.example.com")
    at.sensor.scan()
    foreign = f"arn:aws:acm:{REGION}:444455556666:certificate/12345678"
    nowhere = f"arn:aws:acm:mars-1:{at.account}:certificate/12345678"
    chinese = f"arn:aws-cn:acm:cn-north-1:{at.account}:certificate/12345678"
    for body, status, part in (
            ({"region": "mars-1"}, 409, "region mars-1 is none that connector prod reads in account"),
            ({"account": "444455556666"}, 409, "account 444455556666 is none of connector prod"),
            ({"region": "cn-north-1"}, 400, "region cn-north-1 is of the partition aws-cn")):
        body = {"account": at.account, "region": REGION, **at.material(bundle), **body}
        assert part in at.refused("/v1/plan", status, **body)
    for arn, status, part in ((foreign, 409, "account 444455556666 is none of"),
                              (nowhere, 409, "region mars-1 is none that"),
                              (chinese, 400, "is of the partition aws-cn; connector prod is in aws")):
        assert part in at.refused("/v1/delete", status, arn=arn)
        assert part in at.refused("/v1/csr", status, arn=arn)
    assert at.sensor.get("/v1/jobs")["jobs"] == []


def test_a_region_that_was_enabled_since_is_planned_into_after_the_scan_that_is_named(desk, ec):
    """What the refusal says to type is typed, word by word."""
    new = "eu-west-1"
    at = desk({"regions": f"{REGION},{new}"})
    at.sensor.wait_idle()
    at.sim.mutate("disable_region", account=at.account, region=new)
    at.sensor.scan()
    body = {"account": at.account, "region": new, **at.material(ec.issue("c.example.com"))}
    assert f"region {new} is none that connector prod reads" in at.refused("/v1/plan", 409, **body)
    at.sim.mutate("enable_region", account=at.account, region=new)
    said = at.refused("/v1/plan", 409, **body)
    words = said[said.index("acmsensor scan "):].split()
    assert words[1:] == ["scan", "--connector", "prod", "--account", at.account, "--wait"]
    Cli("--socket", at.sensor.socket).run(*words[1:])
    assert at.post("/v1/plan", **body)["plan"]["decision"] == "import"


def test_an_excluded_account_takes_no_order(desk, ec):
    at = desk()
    at.sensor.wait_idle()
    at.sensor.configure({"prod": {"import": "all", "exclude_accounts": at.account}})
    at.sensor.signal(signal.SIGHUP)
    wait_until(lambda: "swap connector name=prod" in at.sensor.log_text())
    said = at.refused("/v1/plan", 409, account=at.account, region=REGION,
                      **at.material(ec.issue("c.example.com")))
    assert f"leaves account {at.account} out (the account is in exclude_accounts)" in said


def test_pkcs12(desk, ec, tmp_path):
    at = desk()
    bundle = ec.issue("p.example.com")
    (tmp_path / "all.pem").write_bytes(pem(bundle.leaf, *bundle.chain) + key_pem(bundle.key))
    subprocess.run(["openssl", "pkcs12", "-export", "-in", tmp_path / "all.pem", "-out",
                    tmp_path / "all.p12", "-passout", "pass:secret phrase"], check=True)
    p12 = base64.b64encode((tmp_path / "all.p12").read_bytes()).decode()
    _, job = at.deliver(None, pkcs12=p12, passphrase="secret phrase")
    assert at.serial(job["arn"]) == bundle.serial.lstrip("0")
    error = at.post("/v1/plan", want=400, account=at.account, region=REGION, pkcs12=p12)["error"]
    assert error["code"] == "passphrase"


EC_PARAMETERS = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


def as_people_have_it(ec, rsa, bundle):
    """(what, members of the plan) for one certificate; ACM itself would refuse most of them."""
    leaf, (issuing, root), key = bundle.leaf, bundle.chain, key_pem(bundle.key)
    yield "one file in any order", {"certificate": key + pem(root, leaf, issuing)}
    yield "a chain with everything in it", {
        "certificate": pem(leaf), "chain": pem(root, rsa.issuing, leaf, issuing), "key": key}
    yield "text around", {
        "certificate": b"Bag Attributes\n  friendlyName: x\nsubject=CN = x\n" + pem(leaf),
        "chain": b"# ours\n" + pem(issuing) + b"end\n", "key": b"Key Attributes: none\n" + key}
    yield "base64 of PEM", {"certificate": base64.b64encode(pem(leaf)),
                            "chain": base64.encodebytes(pem(issuing)), "key": key}
    yield "as openssl ecparam -genkey", {
        "certificate": pem(leaf), "chain": pem(issuing),
        "key": EC_PARAMETERS + key_pem(bundle.key, "TRADITIONAL")}
    yield "with the root", {"certificate": pem(leaf), "chain": pem(issuing, root), "key": key,
                            "keep_root": True}


def test_what_people_have_becomes_what_acm_takes(desk, ec, rsa):
    at = desk()
    bundle = ec.issue("www.example.com")
    for what, members in as_people_have_it(ec, rsa, bundle):
        given = {name: one.decode() if isinstance(one, bytes) else one for name, one in members.items()}
        _, job = at.deliver(None, **given)
        held = at.acm.get_certificate(CertificateArn=job["arn"])
        wanted = bundle.chain if members.get("keep_root") else bundle.chain[:1]
        assert held["Certificate"].encode().strip() == pem(bundle.leaf).strip(), what
        assert held["CertificateChain"].encode().strip() == pem(*wanted).strip(), what
        assert at.sim.key(job["arn"]).strip() == key_pem(bundle.key).strip(), what


def test_key_made_on_the_sensor(desk, ec, tmp_path):
    at = desk()
    from cryptography import x509
    made = at.post("/v1/csr", domains=["k.example.com", "*.k.example.com"], key_type="ec256")["csr"]
    request = x509.load_pem_x509_csr(made["pem"].encode())
    assert request.is_signature_valid
    signed = ec.issue("k.example.com", "*.k.example.com", key=PublicOnly(request.public_key()))
    plan = at.plan(None, csr=made["id"], certificate=pem(signed.leaf).decode(),
                   chain=pem(*signed.chain).decode())
    assert plan["decision"] == "import"
    job = at.wait(at.apply(plan))
    assert job["state"] == "succeeded" and at.serial(job["arn"]) == signed.serial.lstrip("0")
    other = ec.issue("k.example.com", number=3)
    assert "key" in at.refused("/v1/plan", 400, account=at.account, region=REGION, csr=made["id"],
                               certificate=pem(other.leaf).decode(),
                               chain=pem(*other.chain).decode())


def test_a_request_that_was_lost_is_printed_again(desk):
    at = desk()
    cli = Cli("--socket", at.sensor.socket)
    made = cli.run("csr", "--domain", "k.example.com", "--key-type", "ec256")
    (row,) = cli.json("csr", "--list")["csrs"]
    assert row["pem"] == made.stdout and row["domains"] == ["k.example.com"]
    at.sensor.stop()
    at.sensor.start()
    assert cli.run("csr", "--show", row["id"]).stdout == made.stdout
    assert row["id"] in cli.out("csr", "--list")
    cli.run("csr", "--drop", row["id"])
    assert cli.json("csr", "--list")["csrs"] == []
    assert "there is no request" in cli.run("csr", "--show", row["id"], code=1).stderr


class PublicOnly:
    """A key of which only the public half is known: enough for the certificate's issuer."""

    def __init__(self, public):
        self._public = public

    def public_key(self):
        return self._public


def test_csr_takes_names_and_usages_of_what_it_replaces(desk, ec):
    at = desk()
    from cryptography import x509
    old = ec.issue("r.example.com", "s.example.com", key_usage=["digital_signature"],
                   ext_key_usage=[SERVER, CLIENT])
    arn = at.held(old)
    made = at.post("/v1/csr", arn=arn)["csr"]
    request = x509.load_pem_x509_csr(made["pem"].encode())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"r.example.com", "s.example.com"}
    usages = request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usages) == {SERVER, CLIENT}
    assert made["key_algorithm"] == "EC_prime256v1"


@pytest.mark.parametrize("escrow", ["memory", "secretsmanager"])
def test_escrow(desk, ec, escrow):
    at = desk(options={"key_escrow": escrow})
    plan = at.plan(ec.issue("e.example.com"))
    assert plan["key_escrow"] == escrow
    active = [s for s in at.sim.secrets() if s["state"] == "active"]
    assert len(active) == (1 if escrow == "secretsmanager" else 0)
    job = at.wait(at.apply(plan))
    assert job["state"] == "succeeded", job
    assert [s for s in at.sim.secrets() if s["state"] != "gone"] == []


def test_a_secret_is_in_the_hub_under_its_own_key_and_says_whose_it_is(desk, ec):
    at = desk(options={"key_escrow": "secretsmanager", "kms_key_id": "alias/acmsensor"})
    member = next(one for one in at.accounts if one != at.account)
    plans = [at.plan(ec.issue("e.example.com", number=n), account=member) for n in range(2)]
    for plan, secret in zip(plans, at.sim.secrets()):
        assert secret["account_id"] == at.account and secret["kms_key_id"] == "alias/acmsensor"
        assert secret["name"].startswith("acmsensor/") and secret["name"].endswith(plan["id"])
        assert secret["tags"]["acmsensor:managed-by"] == "acmsensor" and secret["tags"]["acmsensor:sensor"]
        assert secret["tags"]["acmsensor:plan"] == plan["id"]
    at.sim.secretsmanager(encrypt_fails=True)
    message = at.refused("/v1/plan", 409, account=member, region=REGION, **at.material(ec.issue("f.example.com")))
    assert "key escrow secretsmanager" in message and "EncryptionFailure" in message
    at.sim.secretsmanager(encrypt_fails=False, decrypt_fails=True)
    job = at.wait(at.apply(plans[0]))
    assert job["state"] == "failed" and "DecryptionFailure" in job["reason"], job
    assert "nothing was changed in AWS" in job["reason"] and at.imported() == []
    at.sim.secretsmanager(decrypt_fails=False)
    assert at.wait(at.apply(plans[1]))["state"] == "succeeded"
    assert [one["state"] for one in at.sim.secrets()] == ["gone", "gone"]
    assert all(one["forced"] for one in at.sim.secrets())


def test_key_in_memory_is_lost_at_a_restart_and_the_job_says_so(desk, ec):
    at = desk(options={"key_escrow": "memory"})
    plan = at.plan(ec.issue("e.example.com"))
    shown = Cli("--socket", at.sensor.socket)
    assert re.search(r"Next +\S.* apply ", shown.out("plans", plan["id"]))
    at.sensor.stop()
    at.sensor.start()
    assert re.search(r"Key waited in +memory\n.*the key is lost", shown.out("plans", plan["id"]))
    job = at.wait(at.apply(plan))
    assert job["state"] == "failed" and "lost" in job["reason"], job
    assert at.imported() == []


def test_delete(desk, ec):
    at = desk()
    arn = at.held(ec.issue("d.example.com"))
    user = f"arn:aws:elasticloadbalancing:{REGION}:{at.account}:loadbalancer/app/w/1234567890abcdef"
    bound = at.sim.bind(arn, in_use_by=user)
    job = at.wait(at.post("/v1/delete", arn=arn)["job"]["id"])
    assert job["state"] == "failed" and "use" in job["reason"], job
    job_id = at.post("/v1/delete", arn=arn, wait=True)["job"]["id"]
    time.sleep(1)
    assert at.job(job_id)["state"] == "running" and at.job(job_id)["next_attempt"]
    at.sim.unbind(bound["id"])
    assert at.wait(job_id)["state"] == "succeeded"
    assert at.imported() == []


def test_the_inventory_soon_shows_what_was_changed(desk, ec):
    """Without a cycle: the next one may be a day away."""
    at = desk(skips_time=True)
    first, second = ec.issue("www.example.com"), ec.issue("www.example.com", number=1)

    def serials():
        at.time.skip(15)  # the daemon waits a minute after a cycle, and until ACM lists it
        return [one["serial"].lstrip("0")
                for one in at.sensor.get("/v1/certificates", account=at.account)["certificates"]]

    arn = at.deliver(first)[1]["arn"]
    wait_until(lambda: serials() == [first.serial.lstrip("0")])
    _, job = at.deliver(second, arn=arn)
    wait_until(lambda: serials() == [second.serial.lstrip("0")])
    at.wait(at.post("/v1/rollback", job=job["id"])["job"]["id"])
    wait_until(lambda: serials() == [first.serial.lstrip("0")])
    at.wait(at.post("/v1/delete", arn=arn)["job"]["id"])
    wait_until(lambda: serials() == [])
    kinds = {one["kind"] for one in at.sensor.get("/v1/progress")["progress"]}
    assert "catch_up" in kinds, kinds


# --- what must be refused, in one clear sentence


def test_wrong_input(desk, ec, rsa):
    at = desk()
    good, other = ec.issue("www.example.com"), ec.issue("www.example.com", number=1)
    place = {"account": at.account, "region": REGION}

    def plan(status=400, **body):
        return at.refused("/v1/plan", status, **{**place, **body})

    wrong_key = {**at.material(good), "key": key_pem(other.key).decode()}
    assert "key" in plan(**wrong_key)
    expired = ec.issue("www.example.com", days=(-90, -1))
    assert "expired" in plan(**at.material(expired))
    future = ec.issue("www.example.com", days=(2, 90))
    assert "not" in plan(**at.material(future))
    strangers = {**at.material(good), "chain": pem(*rsa.chain).decode()}
    assert "chain" in plan(**strangers) or "issuer" in plan(**strangers)
    assert "ARN" in plan(**at.material(good), arn="arn:aws:iam::123456789012:role/x")
    foreign = f"arn:aws:acm:{REGION}:999999999999:certificate/12345678-1234-1234-1234-123456789012"
    assert "999999999999" in plan(**at.material(good), arn=foreign)
    assert plan(**at.material(good), tags={"acmsensor:sensor": "x"}).count("acmsensor:") >= 1
    assert "letters" in plan(**at.material(good), tags={"team,x": "x"})
    assert "letters" in plan(**at.material(good), tags={"team": "\x1b[31m"})
    assert "unknown" in plan(**at.material(good), nonsense=1)
    assert "certificate" in plan()
    assert plan(400, **at.material(good), connector="nobody") == 'there is no connector "nobody"; there is prod'
    assert "plan" in at.refused("/v1/apply", 404, plan="p-none")
    assert "job" in at.refused("/v1/rollback", 404, job="j-none")
    assert "job" in at.refused("/v1/cancel", 404, job="j-none")
    assert at.sim.imports() == []


def test_refusing_plans(desk, ec, rsa):
    at = desk()
    old = ec.issue("www.example.com", ext_key_usage=[SERVER])
    arn = at.held(old)
    missing = arn[:-4] + ("0000" if arn[-4:] != "0000" else "1111")
    other_partition = arn.replace("arn:aws:", "arn:aws-cn:")
    plan = at.plan(ec.issue("www.example.com", number=1), arn=missing)
    assert plan["decision"] == "refuse" and "ACM does not have" in plan["reason"], plan["reason"]
    at.refused("/v1/apply", 409, plan=plan["id"])
    assert "partition" in at.refused("/v1/plan", 400, arn=other_partition,
                                     **at.material(ec.issue("www.example.com", number=1)))
    plan = at.plan(rsa.issue("www.example.com", kind="rsa2048", ext_key_usage=[SERVER]), arn=arn)
    assert plan["decision"] == "refuse", plan
    assert any(r["verdict"] == "broken" for r in plan["rules"])
    issued = at.sim.mutate("add", account=at.account, region=REGION, type="AMAZON_ISSUED")[0]
    plan = at.plan(ec.issue("www.example.com"), arn=issued)
    assert plan["decision"] == "refuse" and "AMAZON_ISSUED" in plan["reason"]


def test_plan_is_void_when_somebody_else_replaced_the_certificate(desk, ec):
    at = desk()
    arn = at.held(ec.issue("www.example.com"))
    plan = at.plan(ec.issue("www.example.com", number=1), arn=arn)
    at.held(ec.issue("www.example.com", number=2), CertificateArn=arn)
    before = at.serial(arn)
    job = at.wait(at.apply(plan))
    assert job["state"] == "failed" and "void" in job["reason"], job
    assert at.serial(arn) == before
    at.refused("/v1/apply", 409, plan=plan["id"])
    # What a scan has seen is said without a job.
    at.sensor.wait_idle()  # or the scan would join the first cycle
    plan = at.plan(ec.issue("www.example.com", number=1), arn=arn)
    time.sleep(1.1)  # the times are of whole seconds, those that tell a change too
    at.held(ec.issue("www.example.com", number=3), CertificateArn=arn)
    at.sensor.scan()
    assert at.sensor.get("/v1/plans", id=plan["id"])["plans"][0]["state"] == "void"
    shown = Cli("--socket", at.sensor.socket).out("plans", plan["id"])
    assert "Next plan again: this one is void" in " ".join(shown.split())
    assert "someone else replaced" in at.refused("/v1/apply", 409, plan=plan["id"])


def test_quota_is_not_throttling(desk, ec):
    at = desk()
    plan = at.plan(ec.issue("q.example.com"))
    at.sim.acm(certificates_max=0)
    at.sim.reset_stats()
    job = at.wait(at.apply(plan))
    assert job["state"] == "failed" and "LimitExceeded" in json.dumps(job), job
    assert at.sim.stats()["operations"]["acm:ImportCertificate"]["requests"] == 1
    assert [s for s in at.sim.secrets() if s["state"] != "gone"] == []


def test_job_that_cannot_enter_its_account_says_why_and_can_be_cancelled(desk, ec):
    at = desk()
    strange = f"arn:aws:acm:{REGION}:999999999999:certificate/12345678-1234-1234-1234-123456789012"
    job_id = at.post("/v1/delete", arn=strange)["job"]["id"]
    end = time.monotonic() + PATIENCE_S
    while not at.job(job_id)["next_attempt"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    job = at.job(job_id)
    assert job["state"] == "running" and "999999999999" in job["reason"], job
    assert job["steps"][-1]["failure"]
    at.post("/v1/cancel", job=job_id)
    assert at.wait(job_id, timeout=10)["state"] == "cancelled"


def test_deletes_that_wait_for_the_last_user_keep_no_delivery_off(desk, ec):
    at = desk()
    for n in range(5):
        arn = at.held(ec.issue(f"d{n}.example.com", number=n))
        at.sim.bind(arn, in_use_by=f"arn:aws:cloudfront::{at.account}:distribution/E{n}")
        at.post("/v1/delete", arn=arn, wait=True)
    _, job = at.deliver(ec.issue("new.example.com"))
    assert job["state"] == "succeeded"


def test_cancel_before_the_import(desk, ec):
    at = desk()
    plan = at.plan(ec.issue("x.example.com"))
    at.sim.faults({"kind": "stall", "operation": "GetCallerIdentity", "probability": 1})
    job_id = at.apply(plan)
    cancelled = at.post("/v1/cancel", job=job_id)["job"]
    assert cancelled["state"] in ("running", "cancelled")
    at.sim.faults()
    assert at.wait(job_id)["state"] == "cancelled"
    assert at.sim.imports() == []
    assert "ended" in at.refused("/v1/cancel", 409, job=job_id)


# --- what goes wrong on the way


@pytest.mark.parametrize("kind", ["reset", "stall", "truncate", "http500", "garbage"])
@pytest.mark.parametrize("is_new", [False, True])
def test_lost_answer_of_the_import_is_adopted(desk, ec, kind, is_new):
    at = desk()
    arn = None if is_new else at.held(ec.issue("www.example.com"))
    bundle = ec.issue("www.example.com", number=1)
    plan = at.plan(bundle, **({} if is_new else {"arn": arn}))
    before = len(at.sim.imports())
    at.sim.faults({"kind": kind, "operation": "ImportCertificate", "probability": 1, "count": 1,
                   "after": True})
    job = at.wait(at.apply(plan), timeout=120)
    assert job["state"] == "succeeded", job
    assert len(at.sim.imports()) == before + 1
    assert len(at.imported()) == 1
    assert PROVENANCE <= set(at.tags(job["arn"]))


@pytest.mark.parametrize("escrow", ["sensor", "secretsmanager"])
def test_eventual_consistency_is_not_a_failure(desk, ec, escrow):
    at = desk(options={"key_escrow": escrow})
    arn = at.held(ec.issue("www.example.com"))
    at.sim.consistency(delay_ms=3000, jitter_ms=1000, in_progress_ms=1500)
    _, job = at.deliver(ec.issue("www.example.com", number=1), arn=arn)
    assert len(at.sim.imports()) == 2
    _, job = at.deliver(ec.issue("new.example.com", number=2))
    assert len(at.imported()) == 2


def test_jobs_and_plans_are_listed_on_a_machine_that_has_time_for_nothing(desk, ec):
    """Each slice of a list is late as soon as it begins; lists end all the same, as they are."""
    at = desk(skips_time=True)
    for n in range(3):
        at.deliver(ec.issue(f"l{n}.example.com"))
    lists = {name: at.sensor.get("/v1/" + name)[name] for name in ("jobs", "plans")}
    at.sensor.stop()
    at.start(ACMSENSOR_TICK_US="6000")
    for name, rows in lists.items():
        begin = time.monotonic()
        assert [one["id"] for one in at.sensor.get("/v1/" + name)[name]] == \
            [one["id"] for one in rows] and len(rows) == 3
        assert time.monotonic() - begin < 10  # not by a reader that gave up, and asked again
