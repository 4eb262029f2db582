"""The man pages tell what the programs do: their examples are run, in the order of the pages; exit
codes, options and commands are those of the programs, and no others."""
import datetime
import json
import os
import re
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from awssim import BUILD, ROOT
from bundle import SERVER, Authority, key_pem, new_key, pem
from waiting import wait_until

REGION = "eu-central-1"
WARNINGS = 4


def examples(page):
    """Commands of the literal blocks of a page: what stands behind "$ ", with its continuations."""
    found, goes_on = [], False
    for line in (BUILD / page).read_text().splitlines():
        line = line.replace("\\e", "\\")
        if goes_on or line.startswith("$ "):
            found[len(found):] = [line[2:]] if not goes_on else [found.pop() + "\n" + line]
            goes_on = line.endswith("\\")
    return found


def section(page, title):
    return re.search(rf"(?ms)^\.Sh {title}\n(.*?)(?=^\.Sh )", (BUILD / page).read_text())[1]


class Shell:
    """Runs examples in a folder, after what stands for something in them was filled in."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment
        self.filled_in = {}
        self.prologue = ""

    def wrap(self, name, *options):
        """A program of that name that has these options besides."""
        bin_folder = self.folder / "bin"
        bin_folder.mkdir(exist_ok=True)
        wrapper = bin_folder / name
        words = " ".join(f"'{one}'" for one in [BUILD / name, *options])
        wrapper.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        wrapper.chmod(0o755)
        self.environment["PATH"] = f"{bin_folder}:{os.environ['PATH']}"

    def run(self, example, codes=(0, WARNINGS)):
        command = example
        for said, meant in self.filled_in.items():
            command = re.sub(said, lambda _, meant=meant: str(meant), command)
        done = subprocess.run(["sh", "-c", self.prologue + command], cwd=self.folder,
                              env=self.environment, capture_output=True, text=True, timeout=120)
        print(f"$ {command}\n{done.stdout}{done.stderr}")
        assert done.returncode in codes, (command, done.returncode, done.stdout, done.stderr)
        assert "Sanitizer" not in done.stderr
        return done


def write_files(folder, ca):
    """The certificates and keys that the examples name."""
    old = ca.issue("shop.example.com", ext_key_usage=[SERVER])
    new = ca.issue("shop.example.com", key=new_key(), ext_key_usage=[SERVER], days=(-1, 200))
    (folder / "shop.pem").write_bytes(pem(old.leaf))
    (folder / "shop.key").write_bytes(key_pem(old.key))
    (folder / "chain.pem").write_bytes(pem(*old.chain))
    (folder / "new.pass").write_text("passphrase\n")
    (folder / "new.pass").chmod(0o600)
    (folder / "new.p12").write_bytes(pkcs12.serialize_key_and_certificates(
        b"shop", new.key, new.leaf, new.chain,
        serialization.BestAvailableEncryption(b"passphrase")))
    (folder / "new.p12").chmod(0o600)


def sign(folder, ca):
    """api.csr becomes api.pem."""
    request = x509.load_pem_x509_csr((folder / "api.csr").read_bytes())
    now = datetime.datetime.utcnow().replace(microsecond=0)
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    leaf = (x509.CertificateBuilder().subject_name(request.subject)
            .issuer_name(ca.issuing.subject).public_key(request.public_key())
            .serial_number(x509.random_serial_number()).add_extension(names.value, False)
            .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=90))
            .sign(ca.key, hashes.SHA256()))
    (folder / "api.pem").write_bytes(pem(leaf))


def test_examples_of_acmsensor_1(awssim, sensor, tmp_path):
    ca = Authority("ec256")
    sim = awssim(accounts=2, certs_per_region=3, regions=f"us-east-1,{REGION}", rate_scale=0)
    acm = sim.boto3("acm", region=REGION)
    acm.import_certificate(**ca.issue("www.example.com", days=(-1, 20)).order())
    daemon = sensor(sim)
    daemon.start()
    folder = tmp_path / "work"
    folder.mkdir()
    write_files(folder, ca)
    shell = Shell(folder, daemon.environment())
    shell.wrap("acmsensor", "--socket", daemon.socket)
    shell.filled_in = {"111122223333": sim.ready["management_account_id"],
                       "/run/acmsensor/control.sock": daemon.socket,
                       "/var/lib/acmsensor": daemon.data_dir,
                       "/var/backups": folder}
    listener = None
    ran = 0
    for example in examples("acmsensor.1"):
        if "--offline" in example:  # of a copy: the option that the wrapper gives excludes it
            shell.wrap("acmsensor")
            daemon.stop()
        if "--verify-host" in example:
            arn = daemon.get("/v1/jobs")["jobs"][0]["arn"]
            listener = sim.bind(arn, names=["shop.example.com"])
            shell.filled_in["--verify-host [a-z.]+"] = f"--verify-host 127.0.0.1:{listener['port']}"
        if example.startswith("arn="):
            shell.prologue = re.sub("arn:aws:[^ ]+", arn, example) + "\n"
            sim.unbind(listener["id"])
            continue
        done = shell.run(example)
        ran += 1
        if example.startswith("acmsensor plan"):
            shell.filled_in["p-2026[-0-9a-z]+"] = re.search(r"\bp-[-0-9a-z]+", done.stdout)[0]
            assert ("import" if "--cert " in example else "reimport") in done.stdout
        if example.startswith("acmsensor apply"):
            shell.filled_in["j-2026[-0-9a-z]+"] = re.search(r"\bj-[-0-9a-z]+", done.stderr)[0]
            assert "succeeded" in done.stdout
        if example.startswith("acmsensor rollback"):
            assert "restored" in done.stdout
        if example.startswith("acmsensor csr"):
            shell.filled_in["q-2026[-0-9a-z]+"] = re.search(r"\bq-[-0-9a-z]+", done.stderr)[0]
            sign(folder, ca)
        if "openssl" in example:
            assert "notAfter=" in done.stdout
        if "alerts test" in example:
            assert done.stdout == "sent on journal: written\n"
        if "jq" in example and "certs" in example:
            assert f"arn:aws:acm:{REGION}:" in done.stdout
        if "curl" in example:
            assert '"schema"' in done.stdout
        if "--offline" in example:
            assert "www.example.com" in done.stdout
    assert ran > 15
    assert (folder / "acmsensor.mdb").stat().st_size > 0
    assert (folder / "certificates.csv").read_text().count("\n") > 6
    assert arn not in {one["arn"] for one in sim.truth()["certificates"] if one.get("is_held")}


def test_examples_of_acmsensord_8(awssim, sensor, tmp_path):
    sim = awssim(accounts=2, certs_per_region=1, regions=f"us-east-1,{REGION}")
    daemon = sensor(sim)
    shell = Shell(tmp_path, daemon.environment())
    shell.wrap("acmsensord", "-c", daemon.config)
    ran = [shell.run(example, codes=(0,)) for example in examples("acmsensord.8")]
    assert len(ran) == 3
    assert "[connector prod]" in (tmp_path / "acmsensor.conf").read_text()
    assert ran[2].stdout.startswith("2 accounts, 4 account-regions read, ")


def blocks_of(title):
    text = section("acmsensor.conf.5", title).replace("\\e", "\\")
    return re.findall(r"(?ms)^\.Bd -literal -offset indent\n(.*?)^\.Ed", text)


def test_examples_of_acmsensor_conf_5(tmp_path):
    """Each is a configuration without a mistake, or a program that takes the example of a message."""
    blocks = blocks_of("EXAMPLES")
    configurations = [one for one in blocks if one.startswith("[")]
    assert len(configurations) == 5
    for block in configurations:
        config = tmp_path / "acmsensor.conf"
        config.write_text(block)
        done = subprocess.run([BUILD / "acmsensord", "-c", config, "--check"],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (block, done.stderr)
    secret, program = [one for one in blocks if not one.startswith("[")]
    first, second = secret.splitlines()[:2]
    assert first == "cd /etc/acmsensor" and second.endswith(" -g acmsensor /dev/null chat.url")
    made = second.replace(" -g acmsensor", "")  # there is no such group here
    subprocess.run(["sh", "-ec", made], cwd=tmp_path, check=True)
    assert (tmp_path / "chat.url").stat().st_mode & 0o777 == 0o640
    (tmp_path / "page").write_text(program.replace("/var/lib/acmsensor/", f"{tmp_path}/"))
    subprocess.run(["sh", tmp_path / "page"], input=message_example(), text=True, check=True)
    assert (tmp_path / "pages.txt").read_text().startswith(
        "1 alert (1 emergency) on dc1\nemergency: www.example.com ends 2026-12-10T12:00:00Z; in")


def message_example():
    [block] = blocks_of("MESSAGES")
    return re.sub(r"\n\s+", " ", block)


def test_each_member_of_a_message_is_told(desk, ec, tmp_path):
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ncat >{tmp_path}/part && mv {tmp_path}/part {tmp_path}/got\n")
    hook.chmod(0o755)
    one = desk(sensor_options=f"[channel hook]\ntype = command\ncommand = {hook}\n"
                              "minimum = notice\n")
    one.sensor.wait_idle()  # a scan by hand would join the first cycle, which began before
    one.held(ec.issue("www.example.com", days=(-1, 20)))
    one.sensor.scan()
    wait_until((tmp_path / "got").exists, 30, "the message")
    real, told = json.loads((tmp_path / "got").read_text()), json.loads(message_example())
    text = section("acmsensor.conf.5", "MESSAGES")
    words = set(re.findall(r"\w+", " ".join(re.findall(r"(?m)^\.It Cm (.*)$", text))))
    assert list(real) == list(told) and set(real) <= words
    for name in ("counts", "kinds"):
        assert list(real[name]) == list(told[name])
        assert all(re.search(rf"\b{word}\b", text) for word in real[name])
    assert list(real["alerts"][0]) == list(told["alerts"][0])
    assert set(real["alerts"][0]) <= words


def test_exit_codes_are_those_of_the_programs():
    header = (ROOT / "cli/cli.h").read_text()
    codes = set(re.findall(r"\bEXIT_[A-Z_]+ = (\d+)", header))
    told = set(re.findall(r"(?m)^\.It (\d+)$", section("acmsensor.1", "EXIT STATUS")))
    assert told == codes
    text = (ROOT / "sensor/once.h").read_text() + (ROOT / "sensor/main.c").read_text()
    codes = set(re.findall(r"\b(?:ONCE|CODE)_[A-Z]+ = (\d+)", text))
    told = set(re.findall(r"(?m)^\.It (\d+)$", section("acmsensord.8", "EXIT STATUS")))
    assert told == codes


def test_options_of_the_daemon_are_told(sensor):
    usage = subprocess.run([BUILD / "acmsensord", "--help"], capture_output=True, text=True).stdout
    options = set(re.findall(r"(?m)^ .*?--([a-z-]+)", usage))
    told = set(re.findall(r"(?m)^\.It Fl (?:c , )?-([a-z-]+)",
                          section("acmsensord.8", "DESCRIPTION")))
    assert options == told


def test_variables_of_the_daemon_are_told():
    """What the sources read; what the page tells besides are names made at run time."""
    read = set()
    for folder in ("aws", "sensor", "base"):
        for source in (ROOT / folder).glob("*.c"):
            read |= set(re.findall(r'(?:getenv|get|variable|is_set|switch|set_switch|file_path)'
                                   r'\((?:\w+, )?"([A-Z_]+)"', source.read_text()))
    told = set(re.findall(r"\bEv ([A-Z_]+)", (BUILD / "acmsensord.8").read_text()))
    assert read and read <= told, read - told


@pytest.mark.parametrize("page", ["acmsensor.1", "acmsensord.8", "acmsensor.conf.5"])
def test_pages_are_clean(page):
    done = subprocess.run(["sh", ROOT / "tests/lint/manuals.sh", BUILD / page],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_help_of_each_command_is_that_of_the_page():
    page = (BUILD / "acmsensor.1").read_text()
    commands = re.findall(r"(?m)^\.Ss acmsensor ([a-z]+)$", page)
    listed = subprocess.run([BUILD / "acmsensor", "help"], capture_output=True, text=True).stdout
    assert re.findall(r"(?m)^  ([a-z]+) ", listed.split("Options of")[0]) == commands
    for command in commands:
        answers = [subprocess.run([BUILD / "acmsensor", *words], capture_output=True, text=True)
                   for words in (["help", command], [command, "--help"])]
        assert answers[0].returncode == answers[1].returncode == 0
        assert answers[0].stdout == answers[1].stdout
        part = page.split(f".Ss acmsensor {command}\n")[1].split("\n.S")[0]
        own = answers[0].stdout.split("Options of every command")[0]
        assert re.findall(r"(?m)^  --([a-z0-9-]+)", own) == \
            re.findall(r"(?m)^\.It Fl -([a-z0-9-]+)", part)
