"""What a person gets wrong on the way to a delivery: one sentence each, which says what to do next."""
import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from bundle import Authority, key_pem, pem
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


def no_armour(files):
    body = b"".join(key_pem(files.good.key).splitlines()[1:-1])
    return files.parts(key=body)


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
    "key without armour": (no_armour, ["key", "PEM"]),
    "empty file": (lambda f: f.parts(cert=b""), ["empty"]),
    "directory": (folder_as_file, ["directory"]),
    "huge file": (huge_file, ["bytes"]),
    "junk": (lambda f: f.parts(cert=bytes(range(256)) * 8), ["PEM"]),
    "wrong passphrase": (wrong_passphrase, ["passphrase"]),
    "pkcs12 without key": (pkcs12_without_key, ["key"]),
}
ARNS = {
    "other account": (f"arn:aws:acm:{REGION}:999999999999:certificate/{ID}", ["account 999999999999 is none of connector prod"]),
    "other region": (f"arn:aws:acm:eu-north-9:ACCOUNT:certificate/{ID}", ["region eu-north-9 is none that connector prod reads"]),
    "other partition": (f"arn:aws-cn:acm:{REGION}:ACCOUNT:certificate/{ID}", ["partition"]),
    "not a certificate": ("arn:aws:iam::123456789012:role/x", ["expected arn:aws:acm:"]),
}


@pytest.fixture
def at(awssim, sensor):
    sim = awssim(accounts=2, certs_per_region=0, regions=REGION, rate_scale=0)
    one = sensor(sim, connectors={"prod": {"import": "all", "interval": "24h"}})
    one.start()
    one.wait_idle()
    return Desk(sim, one)


def refused(at, words, *arguments):
    """The one sentence."""
    done = Cli("--socket", at.sensor.socket).run(*arguments, code=None)
    lines = done.stderr.splitlines()
    assert done.returncode in (1, 2) and done.stdout == "" and len(lines) == 1, done
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
    arn, words = ARNS[case]
    print(case, refused(at, words, "plan", "--arn", arn.replace("ACCOUNT", at.account),
                  *Files(tmp_path).parts()))


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
