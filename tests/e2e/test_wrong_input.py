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
