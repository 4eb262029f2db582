"""The writing half of the simulated ACM, seen by boto3 and the AWS CLI: each rule at least once."""
import base64
import json
import subprocess
import time

import botocore.exceptions
import pytest
from cryptography.hazmat.primitives import hashes, serialization

import bundle
from awssim import Awssim
from bundle import CLIENT, SERVER, Authority, key_pem, kept_key, name, pem, self_signed

REGION = "us-east-1"
NO_MARGIN = {"rate_scale": 0}


@pytest.fixture(scope="module")
def sim():
    with Awssim(accounts=3, certs_per_region=0, regions="us-east-1,eu-central-1",
                **NO_MARGIN) as one:
        yield one


@pytest.fixture(scope="module")
def acm(sim):
    return sim.boto3("acm", region=REGION)


@pytest.fixture(scope="module")
def ec():
    return Authority("ec256")


@pytest.fixture(scope="module")
def rsa():
    return Authority("rsa2048")


def refused(call, code="ValidationException", **params):
    with pytest.raises(botocore.exceptions.ClientError) as why:
        call(**params)
    error = why.value.response["Error"]
    assert error["Code"] == code, error
    return error["Message"]


def held(sim, arn, **query):
    return [c for c in sim.truth(**query)["certificates"] if c["arn"] == arn][0]


def spoil(text):
    """A PEM text whose signature is broken."""
    body = bytearray(base64.b64decode(b"".join(text.split(b"\n")[1:-2])))
    body[-3] ^= 1
    lines = base64.encodebytes(bytes(body))
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"-----END CERTIFICATE-----\n"


# --- a first import


def test_import_and_read_back(sim, acm, ec):
    new = ec.issue("www.example.com", "example.com", "10.1.2.3", key_usage=["digital_signature"],
                   ext_key_usage=[SERVER, CLIENT])
    arn = acm.import_certificate(**new.order(Tags=[{"Key": "Owner", "Value": "web"},
                                                  {"Key": "empty"}]))["CertificateArn"]
    got = acm.get_certificate(CertificateArn=arn)
    assert got["Certificate"].encode() == pem(new.leaf)
    assert got["CertificateChain"].encode() == pem(*new.chain)
    told = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert told["Type"] == "IMPORTED" and told["Status"] == "ISSUED"
    assert told["Serial"].replace(":", "").lstrip("0") == new.serial.lstrip("0")
    assert told["DomainName"] == "www.example.com"
    assert told["SubjectAlternativeNames"] == ["www.example.com", "example.com"]
    assert told["KeyAlgorithm"] == "EC-prime256v1"
    assert told["SignatureAlgorithm"] == "SHA256WITHECDSA"
    assert told["Issuer"] == "Test CA ec256" and told["InUseBy"] == []
    assert [u["Name"] for u in told["KeyUsages"]] == ["DIGITAL_SIGNATURE"]
    assert [u["Name"] for u in told["ExtendedKeyUsages"]] == [
        "TLS_WEB_SERVER_AUTHENTICATION", "TLS_WEB_CLIENT_AUTHENTICATION"]
    tags = acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]
    assert {t["Key"]: t.get("Value", "") for t in tags} == {"Owner": "web", "empty": ""}
    truth = held(sim, arn, pem=1)
    assert truth["pem"].encode() == pem(new.leaf) and truth["imports"] == 1 and truth["is_held"]
    assert truth["chain_pem"].encode() == pem(*new.chain)
    assert truth["fingerprint_sha256"] == new.leaf.fingerprint(hashes.SHA256()).hex()
    assert truth["tags"] == {"Owner": "web", "empty": ""}
    assert truth["subject_alternative_names"] == ["www.example.com", "example.com", "10.1.2.3"]
    listed = acm.list_certificates(Includes={"keyTypes": ["EC_prime256v1"],
                                             "extendedKeyUsage": ["TLS_WEB_CLIENT_AUTHENTICATION"]})
    assert arn in [c["CertificateArn"] for c in listed["CertificateSummaryList"]]


@pytest.mark.parametrize("kind,shown", [
    ("rsa1024", "RSA_1024"), ("rsa2048", "RSA_2048"), ("rsa3072", "RSA_3072"),
    ("rsa4096", "RSA_4096"), ("ec256", "EC_prime256v1"), ("ec384", "EC_secp384r1"),
    ("ec521", "EC_secp521r1")])
def test_all_key_types_and_both_key_forms(sim, acm, ec, rsa, kind, shown):
    authority = rsa if kind.startswith("rsa") else ec
    for form in ("PKCS8", "TRADITIONAL"):
        new = authority.issue(f"{kind}.example.com", kind=kind)
        arn = acm.import_certificate(
            **new.order(PrivateKey=key_pem(new.key, form)))["CertificateArn"]
        assert held(sim, arn)["key_algorithm"] == shown


def test_self_signed_without_chain_and_chain_without_root(acm, ec):
    arn = acm.import_certificate(**self_signed("self.example.com").order())["CertificateArn"]
    assert "CertificateChain" not in acm.get_certificate(CertificateArn=arn)
    acm.import_certificate(**ec.issue("a.example.com", chain=[ec.issuing]).order())


def test_the_same_content_twice_makes_two_certificates(acm, ec):
    order = ec.issue("twice.example.com").order()
    arns = {acm.import_certificate(**order)["CertificateArn"] for _ in range(2)}
    assert len(arns) == 2


def test_pem_of_the_certificate(acm, ec):
    new = ec.issue("www.example.com")
    acm.import_certificate(**new.order(Certificate=pem(new.leaf).replace(b"\n", b"\r\n") + b"\n\n"))
    several = "The certificate field contains more than one certificate."
    cases = {
        pem(new.leaf, ec.issuing): several,
        base64.b64encode(pem(new.leaf)): several,
        b"Subject: CN=x\n" + pem(new.leaf): "not in a valid PEM format",
        pem(new.leaf) + b"trailing": "not in a valid PEM format",
        new.leaf.public_bytes(serialization.Encoding.DER): "not in a valid PEM format",
        pem(new.leaf)[:-30]: "not in a valid PEM format",
        pem(new.leaf).replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"): "could not be parsed",
        key_pem(new.key): "could not be parsed",
        b" ": "not in a valid PEM format",
    }
    for text, message in cases.items():
        assert message in refused(acm.import_certificate, **new.order(Certificate=text)), text


def test_sizes_and_missing_members(acm, ec):
    new = ec.issue("www.example.com")
    long = new.order(Certificate=pem(new.leaf) + b"\n" * 32769)
    assert "less than or equal to 32768" in refused(acm.import_certificate, **long)
    long = new.order(PrivateKey=key_pem(new.key) + b"\n" * 5120)
    assert "less than or equal to 5120" in refused(acm.import_certificate, **long)
    long = new.order(CertificateChain=pem(*new.chain) + b"\n" * 2097152)
    assert "less than or equal to 2097152" in refused(acm.import_certificate, **long)
    acm.import_certificate(**new.order(
        CertificateChain=pem(*new.chain) + b"\n" * (2097152 - len(pem(*new.chain)))))


def test_private_key(acm, ec, rsa):
    new = ec.issue("www.example.com")
    cases = {
        key_pem(new.key, passphrase=b"secret"): "encrypted",
        key_pem(new.key, "TRADITIONAL", passphrase=b"secret"): "encrypted",
        b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
        + key_pem(new.key, "TRADITIONAL"): "EC PARAMETERS",
        key_pem(new.key) + key_pem(new.key): "more than one key",
        b"Bag Attributes\n" + key_pem(new.key): "not in a valid PEM format",
        key_pem(bundle.new_key("ed25519")): "not supported",
        key_pem(bundle.new_key("ec224")): "not supported",
        pem(new.leaf): "not supported",
        key_pem(bundle.new_key("ec256")): "does not match",
        key_pem(kept_key("rsa2048")): "does not match",
    }
    for text, message in cases.items():
        assert message in refused(acm.import_certificate, **new.order(PrivateKey=text)), text


def test_a_key_that_only_claims_to_match(acm, ec):
    """The public half inside is the certificate's, the private half is not."""
    new = ec.issue("www.example.com")
    own = new.key.private_numbers().private_value.to_bytes(32, "big")
    other = (bundle.new_key().private_numbers().private_value).to_bytes(32, "big")
    lines = key_pem(new.key, "TRADITIONAL").decode().split("\n")
    inner = base64.b64decode("".join(lines[1:-2]))
    assert own in inner
    broken = base64.encodebytes(inner.replace(own, other)).decode()
    text = f"{lines[0]}\n{broken}{lines[-2]}\n"
    assert "does not match" in refused(acm.import_certificate, **new.order(
        PrivateKey=text.encode()))


def test_the_code_of_a_mismatch_can_be_chosen(sim, acm, ec):
    wrong = ec.issue("www.example.com").order(PrivateKey=key_pem(bundle.new_key()))
    sim.acm(mismatch_code="InvalidParameterException")
    refused(acm.import_certificate, "InvalidParameterException", **wrong)
    sim.acm(reset=True)
    refused(acm.import_certificate, "ValidationException", **wrong)


def test_chain(acm, ec, rsa):
    new = ec.issue("www.example.com")
    other = Authority("ec384")
    old_root = bundle.certificate(ec.root_key, ec.root.subject, ec.root.subject, ec.root_key,
                                  ca=True, days=(-3000, -10))
    no_ca = bundle.certificate(ec.key, ec.issuing.subject, ec.root.subject, ec.root_key,
                               key_usage=["digital_signature"])
    for chain in ([ec.root, ec.issuing], [new.leaf, *new.chain], [ec.root], [*new.chain, ec.root],
                  [*new.chain, rsa.root], other.chain, [ec.issuing, old_root], [no_ca, ec.root]):
        assert "Could not validate the certificate with the certificate chain." == \
            refused(acm.import_certificate, **new.order(CertificateChain=pem(*chain)))
    assert "valid self signed" in refused(acm.import_certificate,
                                          **new.order(CertificateChain=None))
    assert "chain is not in a valid PEM" in refused(
        acm.import_certificate, **new.order(CertificateChain=b"text\n" + pem(*new.chain)))
    assert "chain is not in a valid PEM" in refused(
        acm.import_certificate, **new.order(CertificateChain=b"\n"))
    broken = spoil(pem(new.leaf))
    refused(acm.import_certificate, **new.order(Certificate=broken))


def test_what_the_leaf_must_be(acm, ec, rsa):
    cases = [
        (ec.issue("a.example.com", days=(-90, -1)), "has expired"),
        (ec.issue("a.example.com", days=(1, 90)), "not valid yet"),
        (ec.issue("a.example.com", issuer=name(None)), "issuer of the certificate is empty"),
        (ec.issue("a.example.com", ocsp="http://ocsp.example/" + "a" * 981), "OCSP"),
        (ec.issue(subject=name("Device 7")), "domain name or an IP address"),
        (ec.issue("localhost"), "domain name or an IP address"),
        (rsa.issue("a.example.com", kind="ec256"), "does not match the key algorithm"),
        (ec.issue("a.example.com", kind="rsa2048"), "does not match the key algorithm"),
        (ec.issue("a.example.com", key=bundle.new_key("ec224")), "key algorithm of the certificate"),
        (ec.issue("a.example.com", key=bundle.new_key("ed25519")),
         "key algorithm of the certificate"),
    ]
    for new, message in cases:
        key = key_pem(kept_key("ec256")) if "key algorithm of the certificate" == message else None
        order = new.order(**({"PrivateKey": key} if key else {}))
        assert message in refused(acm.import_certificate, **order)
    acm.import_certificate(**ec.issue(subject=name("cn-only.example.com")).order())
    acm.import_certificate(**ec.issue("10.9.8.7", subject=name("Device 7")).order())
    acm.import_certificate(**ec.issue("a.example.com", ocsp="http://ocsp.example/" + "a" * 980).order())
    old = ec.issue("v1.example.com")
    old.leaf = bundle.version_1(old.leaf, ec.key)
    assert "not an X.509 version 3" in refused(acm.import_certificate, **old.order())


def test_rules_can_be_asked_without_an_import(sim, ec):
    new, old = ec.issue("www.example.com"), ec.issue("old.example.com")
    before = len(sim.imports())
    order = {"certificate": pem(new.leaf).decode(), "private_key": key_pem(new.key).decode(),
             "chain": pem(*new.chain).decode()}
    assert sim.rules(**order) == {"allowed": True, "code": None, "message": None}
    verdict = sim.rules(**order, old=pem(old.leaf).decode())
    assert not verdict["allowed"] and "none of the domain names" in verdict["message"]
    del order["chain"]
    assert "self signed" in sim.rules(**order)["message"]
    texts = [pem(one.leaf).decode() for one in (
        old, new, ec.issue("old.example.com", kind="ec384"), ec.issue("OLD.example.com"))]
    verdicts = sim.rules(pairs=[[texts[0], text] for text in (*texts, "x")])["verdicts"]
    assert [v["allowed"] for v in verdicts] == [True, False, False, True, False]
    assert len(sim.imports()) == before


# --- tags


def test_tags_at_import(acm, ec):
    new = ec.issue("www.example.com")
    many = [{"Key": f"k{i}", "Value": "v"} for i in range(51)]
    acm.import_certificate(**new.order(Tags=many[:50]))
    refused(acm.import_certificate, "TooManyTagsException", **new.order(Tags=many))
    for tag in ({"Key": "aws:x", "Value": "v"}, {"Key": "x", "Value": "aws:v"}):
        refused(acm.import_certificate, "InvalidTagException", **new.order(Tags=[tag]))
    refused(acm.import_certificate, "InvalidTagException", **new.order(Tags=[many[0], many[0]]))
    for tag in ({"Key": "k" * 129}, {"Key": "a*b"}, {"Key": "k", "Value": "v" * 257},
                {"Key": "k", "Value": "\U0001f680"}, {"Key": "k\u20ac"}, {"Key": "k", "Value": "\x85"},
                {"Key": "ß" * 129}):
        refused(acm.import_certificate, "ValidationException", **new.order(Tags=[tag]))
    acm.import_certificate(**new.order(Tags=[{"Key": "Größe/東京²" + "ä" * 119, "Value": "a b_.:/=+-@"}]))


def test_add_and_remove_tags(acm, ec):
    arn = acm.import_certificate(**ec.issue("www.example.com").order(
        Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]))["CertificateArn"]

    def tags():
        return {t["Key"]: t.get("Value", "")
                for t in acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]}

    acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "a", "Value": "3"},
                                                          {"Key": "c"}])
    assert tags() == {"a": "3", "b": "2", "c": ""}
    acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[
        {"Key": "a", "Value": "1"}, {"Key": "b"}, {"Key": "c", "Value": ""}, {"Key": "none"}])
    assert tags() == {"a": "3"}
    many = [{"Key": f"k{i}", "Value": "v"} for i in range(50)]
    refused(acm.add_tags_to_certificate, "TooManyTagsException", CertificateArn=arn, Tags=many)
    acm.add_tags_to_certificate(CertificateArn=arn, Tags=many[:49])
    acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "k3", "Value": "new"}])
    assert len(tags()) == 50 and tags()["k3"] == "new"
    refused(acm.add_tags_to_certificate, "InvalidTagException", CertificateArn=arn,
            Tags=[{"Key": "aws:x"}])
    refused(acm.add_tags_to_certificate, "ResourceNotFoundException",
            CertificateArn=arn[:-1] + ("0" if arn[-1] != "0" else "1"), Tags=[{"Key": "x"}])
    refused(acm.add_tags_to_certificate, "InvalidArnException",
            CertificateArn="arn:aws:iam::123456789012:role/x", Tags=[{"Key": "x"}])


def test_drawn_certificates_can_be_tagged_and_deleted(awssim):
    sim = awssim(accounts=1, regions=REGION, certs_per_region=60, **NO_MARGIN)
    acm = sim.boto3("acm", region=REGION)
    truth = sim.truth()["certificates"]
    for old in truth[:20]:
        if len(old["tags"]) < 50:
            acm.add_tags_to_certificate(CertificateArn=old["arn"], Tags=[{"Key": "mine"}])
            assert held(sim, old["arn"])["tags"] == {**old["tags"], "mine": ""}
    for old in truth:
        if old["in_use"]:
            refused(acm.delete_certificate, "ResourceInUseException", CertificateArn=old["arn"])
        elif old["key_pair_origin"] == "ACME":
            refused(acm.delete_certificate, "ConflictException", CertificateArn=old["arn"])
        else:
            acm.delete_certificate(CertificateArn=old["arn"])
            refused(acm.describe_certificate, "ResourceNotFoundException",
                    CertificateArn=old["arn"])
    left = {c["arn"] for c in sim.truth()["certificates"]}
    assert left == {c["arn"] for c in truth if c["in_use"] or c["key_pair_origin"] == "ACME"}


# --- reimport


def reimport(acm, old, new, expected=None):
    arn = acm.import_certificate(**old.order())["CertificateArn"]
    if expected is None:
        assert acm.import_certificate(**new.order(CertificateArn=arn))["CertificateArn"] == arn
    else:
        assert expected in refused(acm.import_certificate, **new.order(CertificateArn=arn))
        told = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        assert told["Serial"].replace(":", "").lstrip("0") == old.serial.lstrip("0")


def test_reimport_replaces_and_keeps(sim, acm, ec):
    first, second = ec.issue("www.example.com"), ec.issue("www.example.com", number=1,
                                                          chain=[ec.issuing])
    arn = acm.import_certificate(**first.order(Tags=[{"Key": "a", "Value": "1"}]))["CertificateArn"]
    before = held(sim, arn)
    assert sim.clock(advance_s=100)
    assert acm.import_certificate(**second.order(CertificateArn=arn))["CertificateArn"] == arn
    after = held(sim, arn, pem=1)
    sim.clock(offset_s=0)
    assert after["created_at"] == before["created_at"] and after["tags"] == before["tags"]
    assert after["imported_at"] > before["imported_at"] and after["imports"] == 2
    assert after["pem"].encode() == pem(second.leaf)
    assert after["chain_pem"].encode() == pem(ec.issuing)
    assert refused(acm.import_certificate, **second.order(
        CertificateArn=arn, Tags=[{"Key": "b"}])) == "Tagging is not permitted on re-import."


def test_reimport_key_type_and_names(acm, ec, rsa):
    old = ec.issue("www.example.com", "example.com")
    reimport(acm, old, ec.issue("www.example.com", kind="ec384"), "same key algorithm")
    reimport(acm, rsa.issue("www.example.com", kind="rsa2048"),
             rsa.issue("www.example.com", kind="rsa3072"), "same key algorithm")
    reimport(acm, old, ec.issue("new.example.com", "EXAMPLE.com"))
    reimport(acm, old, ec.issue("new.example.com", "other.example.com"), "none of the domain names")
    reimport(acm, ec.issue("10.1.1.1", subject=name("Device")),
             ec.issue("10.1.1.1", "x.example.com"))


def test_reimport_key_usages(acm, ec, rsa):
    def pair(authority, kind, old, new):
        return [authority.issue("www.example.com", kind=kind, key_usage=u) for u in (old, new)]

    both, one = ["digital_signature", "key_encipherment"], ["digital_signature"]
    lost = "missing one or more Key Usages"
    reimport(acm, *pair(rsa, "rsa2048", one, both))
    reimport(acm, *pair(rsa, "rsa2048", both, one), lost)
    reimport(acm, *pair(ec, "ec256", both, one))
    reimport(acm, *pair(ec, "ec256", ["digital_signature", "key_agreement"], one), lost)
    reimport(acm, *pair(ec, "ec256", one, None), lost)
    reimport(acm, *pair(ec, "ec256", None, one), "currently imported certificate has none")
    reimport(acm, *pair(ec, "ec256", None, None))


def test_reimport_extended_key_usages(acm, ec):
    def pair(old, new):
        return [ec.issue("www.example.com", ext_key_usage=u) for u in (old, new)]

    lost = "missing one or more Extended Key Usages"
    reimport(acm, *pair([SERVER], [SERVER, CLIENT]))
    reimport(acm, *pair([SERVER, CLIENT], [SERVER]))
    reimport(acm, *pair([SERVER, CLIENT], [CLIENT]), lost)
    reimport(acm, *pair([SERVER, "1.3.6.1.4.1.311.20.2.2"], [SERVER]), lost)
    reimport(acm, *pair([SERVER], None), lost)
    reimport(acm, *pair([CLIENT], None))
    reimport(acm, *pair(None, [SERVER]), "has none")


def test_reimport_of_drawn_certificates(awssim, ec, rsa):
    sim = awssim(accounts=1, regions=REGION, certs_per_region=80, **NO_MARGIN)
    acm = sim.boto3("acm", region=REGION)
    done = 0
    for old in sim.truth()["certificates"]:
        if old["type"] != "IMPORTED":
            new = rsa.issue("www.example.com", kind="rsa2048")
            assert "not an imported certificate" in refused(
                acm.import_certificate, **new.order(CertificateArn=old["arn"]))
        elif old["key_algorithm"] == "RSA_2048" and old["domain_name"] and \
                old["kind"] not in ("imported_self_signed", "imported_custom_usage"):
            new = rsa.issue(old["domain_name"], kind="rsa2048", ext_key_usage=[SERVER],
                            key_usage=["digital_signature", "key_encipherment"])
            acm.import_certificate(**new.order(CertificateArn=old["arn"]))
            after = held(sim, old["arn"])
            for kept in ("created_at", "tags", "in_use_by", "kind", "key_algorithm"):
                assert after[kept] == old[kept]
            assert after["serial"].lstrip("0") == new.serial.lstrip("0")
            acm.describe_certificate(CertificateArn=old["arn"])
            done += 1
    assert done > 3


def test_whose_arn_it_is(sim, acm, ec):
    new = ec.issue("www.example.com")
    arn = acm.import_certificate(**new.order())["CertificateArn"]
    member = [a["account_id"] for a in sim.truth()["accounts"] if not a["is_hub"]][0]
    elsewhere = sim.boto3("acm", region=REGION, keys=sim.assume(member))
    refused(elsewhere.import_certificate, "ResourceNotFoundException",
            **new.order(CertificateArn=arn))
    refused(sim.boto3("acm", region="eu-central-1").import_certificate,
            "ResourceNotFoundException", **new.order(CertificateArn=arn))
    refused(acm.import_certificate, "ResourceNotFoundException",
            **new.order(CertificateArn=arn[:-1] + ("0" if arn[-1] != "0" else "1")))
    for bad in (arn.replace("arn:aws:", "arn:aws-cn:"), arn.replace(":acm:", ":iam:"),
                "x" * 30):
        refused(acm.import_certificate, "InvalidArnException", **new.order(CertificateArn=bad))
    other = elsewhere.import_certificate(**new.order())["CertificateArn"]
    assert f":{member}:" in other


def test_quotas(awssim, ec):
    sim = awssim(accounts=1, regions=REGION, certs_per_region=0, **NO_MARGIN)
    acm, new = sim.boto3("acm", region=REGION), ec.issue("www.example.com")
    sim.acm(certificates_max=2)
    arns = [acm.import_certificate(**new.order())["CertificateArn"] for _ in range(2)]
    assert "You have reached the maximum number of certificates" in refused(
        acm.import_certificate, "LimitExceededException", **new.order())
    acm.import_certificate(**new.order(CertificateArn=arns[0]))
    acm.delete_certificate(CertificateArn=arns[1])
    sim.acm(imports_max=3)
    assert "last 365 days" in refused(
        acm.import_certificate, "LimitExceededException", **new.order())
    refused(acm.import_certificate, "LimitExceededException", **new.order(CertificateArn=arns[0]))
    assert sim.acm(reset=True)["imports_max"] == 5000
    acm.import_certificate(**new.order())


def test_rates(awssim, ec):
    sim = awssim(accounts=1, regions="us-east-1,eu-central-1", certs_per_region=0)
    new = ec.issue("www.example.com").order()
    clients = [sim.boto3("acm", region=r) for r in ("us-east-1", "eu-central-1")]
    for acm in clients:
        acm.import_certificate(**new)
    for acm in clients:
        refused(acm.import_certificate, "ThrottlingException", **new)


def test_aws_cli(sim, ec, tmp_path):
    new = ec.issue("cli.example.com")
    order = new.order()
    for part, text in order.items():
        (tmp_path / part).write_bytes(text)
    done = subprocess.run(
        ["aws", "--endpoint-url", sim.endpoint(), "acm", "import-certificate", "--certificate",
         f"fileb://{tmp_path}/Certificate", "--private-key", f"fileb://{tmp_path}/PrivateKey",
         "--certificate-chain", f"fileb://{tmp_path}/CertificateChain", "--tags",
         "Key=by,Value=cli"], env=sim.environment("http", region=REGION), capture_output=True,
        check=False, text=True)
    assert done.returncode == 0, done.stderr
    truth = held(sim, json.loads(done.stdout)["CertificateArn"])
    assert truth["serial"].lstrip("0") == new.serial.lstrip("0") and truth["tags"] == {"by": "cli"}


# --- denials, lost answers, late reads


def test_a_single_action_can_be_denied(awssim, ec):
    sim = awssim(accounts=2, regions=REGION, certs_per_region=0, **NO_MARGIN)
    acm, new = sim.boto3("acm", region=REGION), ec.issue("www.example.com")
    sim.mutate("deny_action", action="acm:AddTagsToCertificate",
               account=sim.ready["hub_account_id"])
    assert "no identity-based policy allows the acm:AddTagsToCertificate action" in refused(
        acm.import_certificate, "AccessDeniedException", **new.order(Tags=[{"Key": "a"}]))
    arn = acm.import_certificate(**new.order())["CertificateArn"]
    refused(acm.add_tags_to_certificate, "AccessDeniedException", CertificateArn=arn,
            Tags=[{"Key": "a"}])
    sim.mutate("allow_action", action="acm:AddTagsToCertificate",
               account=sim.ready["hub_account_id"])
    acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "a"}])
    sim.mutate("deny_action", action="acm:ImportCertificate")
    refused(acm.import_certificate, "AccessDeniedException", **new.order(CertificateArn=arn))
    refused(acm.import_certificate, "AccessDeniedException", **new.order())


@pytest.mark.parametrize("kind", ["reset", "close", "truncate", "http500", "throttle", "garbage"])
def test_an_answer_is_lost_after_the_effect(awssim, ec, kind):
    sim = awssim(accounts=1, regions=REGION, certs_per_region=0, **NO_MARGIN)
    acm, new = sim.boto3("acm", region=REGION), ec.issue("www.example.com")
    sim.faults({"kind": kind, "operation": "ImportCertificate", "after": True, "skip": 1,
                "count": 1})
    arn = acm.import_certificate(**new.order())["CertificateArn"]
    try:
        lost = acm.import_certificate(**new.order(CertificateArn=arn))
        # Debian's botocore takes a cut answer for a whole one.
        assert kind == "truncate" and "CertificateArn" not in lost
    except (botocore.exceptions.ClientError, botocore.exceptions.HTTPClientError,
            UnicodeDecodeError):
        pass
    assert held(sim, arn)["imports"] == 2
    acm.import_certificate(**new.order(CertificateArn=arn))
    assert held(sim, arn)["imports"] == 3 and len(sim.truth()["certificates"]) == 1
    notes = sim.imports()
    assert [n["is_reimport"] for n in notes] == [False, True, True]
    assert {n["arn"] for n in notes} == {arn} and notes[0]["serial"] == held(sim, arn)["serial"]


def test_reads_are_late_on_demand(awssim, ec):
    sim = awssim(accounts=1, regions=REGION, certs_per_region=0, **NO_MARGIN)
    acm = sim.boto3("acm", region=REGION)
    first, second = ec.issue("www.example.com"), ec.issue("www.example.com")
    listing = {"Includes": {"keyTypes": ["EC_prime256v1"]}}

    def seen(is_again=False):
        """What each read answers: the serial, the tags, whether it is listed. Once more if it came
        or went between two of them."""
        try:
            told = acm.describe_certificate(CertificateArn=arn)["Certificate"]["Serial"]
            tags = acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]
            text = acm.get_certificate(CertificateArn=arn)["Certificate"]
            listed = acm.list_certificates(**listing)["CertificateSummaryList"]
            if not listed and not is_again:
                return seen(is_again=True)
            assert [c["CertificateArn"] for c in listed] == [arn]
        except acm.exceptions.ResourceNotFoundException:
            absent = [not acm.list_certificates(**listing)["CertificateSummaryList"]]
            for read in (acm.get_certificate, acm.list_tags_for_certificate):
                try:
                    read(CertificateArn=arn)
                    absent.append(False)
                except acm.exceptions.ResourceNotFoundException:
                    absent.append(True)
            if not all(absent) and not is_again:
                return seen(is_again=True)
            assert all(absent), absent
            return None
        return text.encode() == pem(second.leaf), told.replace(":", ""), len(tags)

    def wait(expected, before):
        end = time.monotonic() + 10
        while (now := seen()) != expected:
            assert now == before and time.monotonic() < end
            time.sleep(0.1)

    assert sim.consistency(delay_ms=1200)["delay_ms"] == 1200
    arn = acm.import_certificate(**first.order())["CertificateArn"]
    assert seen() is None
    state = held(sim, arn)["serial"]
    wait((False, state, 0), None)
    acm.import_certificate(**second.order(CertificateArn=arn))
    assert seen() == (False, state, 0)
    acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "a"}])
    fresh = held(sim, arn)["serial"]
    assert seen() == (False, state, 0) and fresh != state
    end = time.monotonic() + 10
    while seen() != (True, fresh, 1):
        assert time.monotonic() < end
        time.sleep(0.1)
    acm.delete_certificate(CertificateArn=arn)
    assert seen() == (True, fresh, 1) and not sim.truth()["certificates"]
    refused(acm.delete_certificate, "ResourceNotFoundException", CertificateArn=arn)
    wait(None, (True, fresh, 1))


def test_reads_of_different_kinds_are_late_differently(awssim, ec):
    sim = awssim(accounts=1, regions=REGION, certs_per_region=0, **NO_MARGIN)
    acm = sim.boto3("acm", region=REGION)
    found = set()
    for seed in range(6):
        sim.consistency(jitter_ms=10000, seed=seed)
        arn = acm.import_certificate(**ec.issue("www.example.com").order())["CertificateArn"]
        time.sleep(0.5)
        for read in (acm.describe_certificate, acm.get_certificate,
                     acm.list_tags_for_certificate):
            try:
                read(CertificateArn=arn)
                found.add(True)
            except acm.exceptions.ResourceNotFoundException:
                found.add(False)
    assert False in found


def test_get_is_in_progress_on_demand(awssim, ec):
    sim = awssim(accounts=1, regions=REGION, certs_per_region=0, **NO_MARGIN)
    acm = sim.boto3("acm", region=REGION)
    sim.consistency(in_progress_ms=1000)
    arn = acm.import_certificate(**ec.issue("www.example.com").order())["CertificateArn"]
    refused(acm.get_certificate, "RequestInProgressException", CertificateArn=arn)
    acm.describe_certificate(CertificateArn=arn)
    sim.consistency(reset=True)
    acm.get_certificate(CertificateArn=arn)
