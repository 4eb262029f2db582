"""The TLS listeners of the simulated AWS, which serve what certificates hold."""
import hashlib
import socket
import ssl
import subprocess
import urllib.error

import pytest

from awssim import KEY_TYPES, Awssim
from bundle import Authority, der, pem
from waiting import wait_until

REGION = "us-east-1"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/1234567890abcdef"


@pytest.fixture(scope="module")
def sim():
    with Awssim(accounts=1, certs_per_region=0, regions=REGION, rate_scale=0) as one:
        yield one


@pytest.fixture(scope="module")
def acm(sim):
    return sim.boto3("acm", region=REGION)


@pytest.fixture(scope="module")
def ec():
    return Authority("ec256")


def imported(acm, new, arn=None):
    return acm.import_certificate(**new.order(**({"CertificateArn": arn} if arn else {})))[
        "CertificateArn"]


def test_serves_the_chain_and_picks_up_a_reimport(sim, acm, ec, tmp_path):
    first, second = ec.issue("www.example.com"), ec.issue("www.example.com", number=1)
    arn = imported(acm, first)
    bound = sim.bind(arn, names=["www.example.com"], delay_ms=700)
    (tmp_path / "root.pem").write_bytes(pem(ec.root))
    context = ssl.create_default_context(cafile=str(tmp_path / "root.pem"))
    with socket.create_connection(("127.0.0.1", bound["port"]), timeout=10) as conn:
        with context.wrap_socket(conn, server_hostname="www.example.com") as tls:
            assert tls.getpeercert(binary_form=True) == der(first.leaf)
            tls.sendall(b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n")
            assert tls.recv(1000).startswith(b"HTTP/1.1 200 OK")
    imported(acm, second, arn)
    assert sim.served(bound["port"]) == der(first.leaf)
    wait_until(lambda: sim.served(bound["port"]) == der(second.leaf))
    shown = [b for b in sim.bindings() if b["id"] == bound["id"]][0]
    assert shown["certificates"][0]["fingerprint_sha256"] == \
        hashlib.sha256(der(second.leaf)).hexdigest() and shown["handshakes"] >= 3
    sim.unbind(bound["id"])
    with pytest.raises(OSError):
        sim.served(bound["port"])
    with pytest.raises(urllib.error.HTTPError):
        sim.unbind(bound["id"])


def test_a_default_and_others_by_server_name(sim, acm, ec):
    new, old = ec.issue("www.example.com"), ec.issue("www.example.com", "example.com", number=1)
    wild = ec.issue("*.example.org")
    arns = [imported(acm, one) for one in (new, old, wild)]
    bound = sim.bind(arns[0], names=["only.example.com"])
    sim.bind(arns[1], id=bound["id"])
    sim.bind(arns[2], id=bound["id"], names=["*.example.org"])
    port = bound["port"]
    assert sim.served(port, None) == der(new.leaf)
    assert sim.served(port, "other.example.net") == der(new.leaf)
    assert sim.served(port, "www.example.com") == der(old.leaf)
    assert sim.served(port, "WWW.example.org") == der(wild.leaf)
    assert sim.served(port, "a.b.example.org") == der(new.leaf)
    sim.unbind(bound["id"], arn=arns[1])
    assert sim.served(port, "www.example.com") == der(new.leaf)
    sim.bind(arns[1], id=bound["id"], default=True, names=["x.example.com"])
    assert sim.served(port, None) == der(old.leaf)
    sim.bind(arns[2], id=bound["id"], replace=True)
    assert sim.served(port, "www.example.com") == der(wild.leaf)
    sim.unbind(bound["id"])


def test_a_binding_is_a_use(sim, acm, ec):
    arn = imported(acm, ec.issue("www.example.com"))
    bound = sim.bind(arn, in_use_by=BALANCER)

    def users():
        return acm.describe_certificate(CertificateArn=arn)["Certificate"]["InUseBy"]

    assert users() == [BALANCER]
    with pytest.raises(acm.exceptions.ResourceInUseException):
        acm.delete_certificate(CertificateArn=arn)
    imported(acm, ec.issue("www.example.com"), arn)
    assert users() == [BALANCER]
    sim.consistency(use_lag_ms=600)
    sim.unbind(bound["id"])
    assert users() == [BALANCER]
    wait_until(lambda: users() == [])
    sim.consistency(reset=True)
    acm.delete_certificate(CertificateArn=arn)


def test_certificates_that_awssim_made_are_served_with_its_own_keys(awssim):
    sim = awssim(accounts=1, regions=REGION, certs_per_region=80, rate_scale=0)
    seen = set()
    for kind in KEY_TYPES:
        sim.mutate("add", key_algorithm=kind, account=sim.ready["hub_account_id"])
    for one in sim.truth(pem=1)["certificates"]:
        if not one["has_pem"] or one["key_algorithm"] in seen:
            continue
        seen.add(one["key_algorithm"])
        bound = sim.bind(one["arn"])
        assert hashlib.sha256(sim.served(bound["port"])).hexdigest() == one["fingerprint_sha256"]
    assert len(seen) == 7
    pending = [c for c in sim.truth()["certificates"] if not c["has_pem"]][0]
    with pytest.raises(urllib.error.HTTPError):
        sim.bind(pending["arn"])


def test_somebody_elses_import_is_served_too(sim, acm, ec):
    rsa = Authority("rsa2048")
    for new in (ec.issue("www.example.com", "10.1.1.1", key_usage=["digital_signature"]),
                rsa.issue("www.example.com", kind="rsa2048")):
        arn = imported(acm, new)
        bound = sim.bind(arn)
        assert sim.served(bound["port"]) == der(new.leaf)
        assert sim.mutate("import_foreign", arn=arn) == [arn]
        truth = [c for c in sim.truth(pem=1)["certificates"] if c["arn"] == arn][0]
        fresh = ssl.PEM_cert_to_DER_cert(truth["pem"])
        assert sim.served(bound["port"]) == fresh != der(new.leaf)
        assert truth["imports"] == 1
        assert set(new.names) == set(truth["subject_alternative_names"])
        got = acm.get_certificate(CertificateArn=arn)
        assert got["Certificate"] == truth["pem"]
        imported(acm, new, arn)


def test_the_chain_of_a_foreign_import_verifies(sim, acm, ec, tmp_path):
    arn = imported(acm, ec.issue("www.example.com"))
    sim.mutate("import_foreign", arn=arn)
    got = acm.get_certificate(CertificateArn=arn)
    (tmp_path / "leaf").write_text(got["Certificate"])
    (tmp_path / "chain").write_text(got["CertificateChain"])
    done = subprocess.run(["openssl", "verify", "-untrusted", tmp_path / "chain", "-CAfile",
                           tmp_path / "chain", tmp_path / "leaf"], capture_output=True, check=False)
    assert done.returncode == 0, done


def test_certificates_of_a_kind_can_be_added(sim):
    account = sim.ready["hub_account_id"]
    arn, = sim.mutate("add", type="IMPORTED", key_algorithm="EC_prime256v1", account=account)
    truth = [c for c in sim.truth()["certificates"] if c["arn"] == arn][0]
    assert truth["type"] == "IMPORTED" and truth["key_algorithm"] == "EC_prime256v1"
    arn, = sim.mutate("add", kind="acme", account=account)
    assert [c for c in sim.truth()["certificates"] if c["arn"] == arn][0]["kind"] == "acme"
    with pytest.raises(urllib.error.HTTPError):
        sim.mutate("add", kind="nonsense")
