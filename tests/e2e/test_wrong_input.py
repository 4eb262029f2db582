"""What a person gets wrong on the way to a delivery: one sentence each, which says what to do next."""
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, pkcs7, pkcs12)

from bundle import Authority, der, key_pem, pem
from cli import Cli
from desk import REGION, Desk

ID = "12345678-1234-1234-1234-123456789012"


class Files:
    def __init__(self, folder):
        self.folder, self.ec, self.rsa = folder, Authority("ec256"), Authority("rsa2048")
        self.good = self.ec.issue("www.example.com")
        self.other = self.ec.issue("www.example.com", number=1)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        return path

    def parts(self, bundle=None, **changed):
        bundle = bundle or self.good
        content = {"cert": pem(bundle.leaf), "key": key_pem(bundle.key), "chain": pem(*bundle.chain)}
        content.update(changed)
        words = []
        for option, value in content.items():
            if value is not None:
                words += [f"--{option}", self.write(option, value) if isinstance(value, bytes) else value]
        return words


def folder_as_file(files):
    return files.parts(cert=files.folder)


def huge_file(files):
    return files.parts(cert=b"x" * (20 << 20))


def request(files):
    """A CSR, as the CA was sent it."""
    return x509.CertificateSigningRequestBuilder().subject_name(files.good.leaf.subject).sign(
        files.good.key, hashes.SHA256())


def pkcs12_as_certificate(files):
    return files.parts(cert=pkcs12.serialize_key_and_certificates(
        b"x", files.good.key, files.good.leaf, files.good.chain, BestAvailableEncryption(b"right")))


def key_in_chain_only(files):
    return files.parts(key=None, chain=pem(*files.good.chain) + key_pem(files.good.key))


def wrong_passphrase(files):
    files.write("passphrase", b"wrong\n")
    return files.parts(key=key_pem(files.good.key, passphrase=b"right")) + \
        ["--passphrase-file", files.folder / "passphrase"]


def pkcs12_without_key(files):
    bundle = pkcs12.serialize_key_and_certificates(
        b"x", None, files.good.leaf, files.good.chain, BestAvailableEncryption(b"right"))
    files.write("passphrase", b"right\n")
    return ["--pkcs12", files.write("p12", bundle), "--passphrase-file", files.folder / "passphrase"]


MATERIAL = {
    "wrong key": (lambda f: f.parts(key=key_pem(f.other.key)), ["key"]),
    "expired leaf": (lambda f: f.parts(f.ec.issue("www.example.com", days=(-90, -1))), ["expired"]),
    "chain of strangers": (lambda f: f.parts(chain=pem(*f.rsa.chain)), ["chain"]),
    "key only in the chain": (key_in_chain_only, ["key"]),
    "request as certificate": (lambda f: f.parts(cert=pem(request(f))), ["the certificate: ", "(CSR)"]),
    "request as chain": (lambda f: f.parts(chain=pem(request(f))), ["the chain: ", "(CSR)"]),
    "certificate as key": (lambda f: f.parts(key=pem(f.good.leaf)), ["the key ", "it is a certificate"]),
    "PKCS#12 as certificate": (pkcs12_as_certificate, ["the certificate: ", "PKCS#12", "--pkcs12"]),
    "UTF-16": (lambda f: f.parts(cert=pem(f.good.leaf).decode().encode("utf-16")), ["--cert ", "UTF-16"]),
    "empty file": (lambda f: f.parts(cert=b""), ["empty"]),
    "directory": (folder_as_file, ["directory"]),
    "huge file": (huge_file, ["bytes"]),
    "junk": (lambda f: f.parts(cert=bytes(range(256)) * 8), ["PEM"]),
    "wrong passphrase": (wrong_passphrase, ["the passphrase does not open the key"]),
    "pkcs12 without key": (pkcs12_without_key, ["key"]),
}
ARNS = {
    "other account": (1, f"arn:aws:acm:{REGION}:999999999999:certificate/{ID}", ["account 999999999999 is none of connector prod"]),
    "other region": (1, f"arn:aws:acm:eu-north-9:ACCOUNT:certificate/{ID}", ["region eu-north-9 is none that connector prod reads"]),
    "other partition": (2, f"arn:aws-cn:acm:{REGION}:ACCOUNT:certificate/{ID}", ["partition"]),
    "not a certificate": (2, "arn:aws:iam::123456789012:role/x", ["expected arn:aws:acm:"]),
}


@pytest.fixture
def at(awssim, sensor):
    sim = awssim(accounts=2, certs_per_region=0, regions=REGION, rate_scale=0)
    one = sensor(sim, connectors={"prod": {"import": "all", "interval": "24h"}})
    one.start()
    one.wait_idle()
    return Desk(sim, one)


def refused(at, words, *arguments, code=2):
    """The one sentence. code: 2 where what was given is wrong, 1 where AWS or its state is."""
    done = Cli("--socket", at.sensor.socket).run(*arguments, code=None)
    lines = done.stderr.splitlines()
    assert done.returncode == code and done.stdout == "" and len(lines) == 1, done
    assert lines[0].startswith("acmsensor: ") and len(lines[0]) < 330, lines[0]
    assert all(word in lines[0] for word in words), (words, lines[0])
    assert at.sim.imports() == []
    return lines[0]


@pytest.mark.parametrize("case", MATERIAL)
def test_wrong_files(at, tmp_path, case):
    make, words = MATERIAL[case]
    print(case, refused(at, words, "plan", "--account", at.account, "--region", REGION, *make(Files(tmp_path))))


@pytest.mark.parametrize("case", ARNS)
def test_foreign_arns(at, tmp_path, case):
    code, arn, words = ARNS[case]
    print(case, refused(at, words, "plan", "--arn", arn.replace("ACCOUNT", at.account),
                  *Files(tmp_path).parts(), code=code))


def test_a_connector_that_is_not_there(at, tmp_path):
    refused(at, ['there is no connector "nope"; there is prod'], "plan", "--account", at.account, "--region", REGION,
            "--connector", "nope", *Files(tmp_path).parts())


def test_more_than_one_connector(awssim, sensor, tmp_path):
    sim = awssim(accounts=2, certs_per_region=0, regions=REGION, rate_scale=0)
    one = sensor(sim, connectors={"prod": {"interval": "24h"}, "shop": {"interval": "24h"}})
    one.start()
    at = Desk(sim, one)
    refused(at, ["there is more than one connector; name one of prod, shop"], "plan", "--account", at.account,
            "--region", REGION, *Files(tmp_path).parts())


def as_windows_has_it(files):
    """Bytes and byte order marks."""
    return files.parts(cert=der(files.good.leaf), chain=pkcs7.serialize_certificates(files.good.chain, Encoding.DER),
                       key=files.good.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


TAKEN = {
    "DER": as_windows_has_it,
    "PKCS#7": lambda f: f.parts(chain=pkcs7.serialize_certificates(f.good.chain, Encoding.PEM)),
    "byte order marks": lambda f: f.parts(cert=b"\xef\xbb\xbf" + pem(f.good.leaf),
                                          key=b"\xef\xbb\xbf" + key_pem(f.good.key)),
    "no armour": lambda f: f.parts(key=b"".join(key_pem(f.good.key).splitlines()[1:-1])),
}


@pytest.mark.parametrize("case", TAKEN)
def test_files_of_other_forms_are_taken(at, tmp_path, case):
    plan = Cli("--socket", at.sensor.socket).json(
        "plan", "--account", at.account, "--region", REGION, *TAKEN[case](Files(tmp_path)))["plan"]
    assert plan["decision"] == "import"
    assert [note["text"] for note in plan["notes"]] == ["the root CN=Test Root ec256 was left out of the chain"]

def test_a_key_in_the_chains_file_is_told(at, tmp_path):
    files = Files(tmp_path)
    shown = Cli("--socket", at.sensor.socket).out(
        "plan", "--account", at.account, "--region", REGION,
        *files.parts(chain=pem(*files.good.chain) + key_pem(files.other.key)))
    assert "the chain has a private key in it, which was not used: take it out" in " ".join(shown.split())


def test_what_amazon_issued_is_not_replaced(at, tmp_path):
    arn = at.sim.mutate("add", account=at.account, region=REGION, type="AMAZON_ISSUED")[0]
    done = Cli("--socket", at.sensor.socket).run("plan", "--arn", arn, *Files(tmp_path).parts(), code=1)
    sentence = done.stdout.splitlines()[0]
    assert "refuse" in sentence and "is of type AMAZON_ISSUED, not IMPORTED" in sentence
    assert sentence.endswith("--new-arn imports it as a new certificate")
    assert at.sim.imports() == []


def test_plans_whose_time_is_over(desk, tmp_path):
    at, files = desk(skips_time=True), Files(tmp_path)
    arn = at.held(files.good)
    void, late = (at.plan(files.other, arn=arn)["id"] for _ in range(2))
    at.held(files.ec.issue("www.example.com", number=2), CertificateArn=arn)
    ask = Cli("--socket", at.sensor.socket)
    told = " ".join(ask.run("apply", void, "--wait", code=1).stdout.split())
    assert "void: someone else replaced it" in told and "nothing was changed in AWS: plan again" in told
    at.time.skip(3601)
    assert ask.run("apply", late, code=1).stderr.startswith(f"acmsensor: plan {late} expired at ")
    assert ask.run("apply", late, code=1).stderr.endswith(": plan again\n")
    assert ask.run("apply", "p-nowhere", code=1).stderr == "acmsensor: there is no plan p-nowhere\n"
    assert len(at.sim.imports()) == 2  # those of somebody else
