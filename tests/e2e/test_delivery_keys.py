"""Where private keys are seen: sealed on the disk and, while they are needed, in memory that no core
file shows; in no log, argument, environment or child, and nowhere once all is released."""
import base64
import os
import pathlib
import re
import subprocess
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from awssim import SIM_BUILD
from bundle import key_pem, new_key, pem
from cli import Cli, environment
from desk import key_marks
from test_torture_secrets import writable_memory
from torture import dose
from waiting import wait_until

PASSPHRASE = b"open sesame, said the forty thieves"
KINDS = ["ec256", "rsa2048"]


class PublicOnly:
    """A key of which only the public half is known: enough for the certificate's issuer."""

    def __init__(self, public):
        self._public = public

    def public_key(self):
        return self._public


class Watch:
    """Looks for children of a process, and at what it shows to others: arguments, environment."""

    def __init__(self, pid):
        self.pid, self.children, self.shown, self._is_over = pid, set(), set(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._is_over.wait(0.01):
            for task in os.listdir(f"/proc/{self.pid}/task"):
                path = pathlib.Path(f"/proc/{self.pid}/task/{task}/children")
                try:
                    self.children |= set(path.read_text().split())
                except OSError:
                    pass  # the thread has ended

    def end(self):
        """What it shows. No child was seen, and none was ever waited for: their page faults would
        count."""
        self._is_over.set()
        self._thread.join()
        for name in ("cmdline", "environ"):
            self.shown.add(pathlib.Path(f"/proc/{self.pid}/{name}").read_bytes())
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        faults_of_children = int(fields[8])
        ignored = re.search(r"SigIgn:\s*([0-9a-f]+)",
                            pathlib.Path(f"/proc/{self.pid}/status").read_text())
        is_child_ignored = int(ignored.group(1), 16) >> 16 & 1  # SIGCHLD; else they would not count
        assert not self.children and not faults_of_children and not is_child_ignored
        return self.shown


def core_of(pid, folder):
    """A core file as the kernel would write it if the process could be dumped: without what is
    marked as not to be dumped."""
    done = subprocess.run(["gdb", "-q", "-batch", "-nx", "-p", str(pid),
                           "-ex", "set auto-load off", "-ex", "set use-coredump-filter on",
                           "-ex", "set dump-excluded-mappings off",
                           "-ex", f"generate-core-file {folder / 'core'}"],
                          capture_output=True, text=True, timeout=120)
    core = folder / "core"
    assert core.exists(), (done.stdout, done.stderr)
    data = core.read_bytes()
    core.unlink()
    return data


def released(pid, folder):
    """(where, bytes) of all that the process holds: its core, and the rest of its memory."""
    yield "the core", core_of(pid, folder)
    for name, _, data in writable_memory(pid):
        yield name or "memory", data


def expect_nowhere(wanted, where):
    for name, data in where:
        data = re.sub(rb"\0{64,}", b"\0", data)  # most of it, and slow to search
        for mark in wanted:
            assert mark not in data, (name, mark)


def files_of(sensor):
    for path in [sensor.log, *sensor.data_dir.rglob("*")]:
        if path.is_file():
            yield path, path.read_bytes()


def test_a_core_shows_what_is_not_marked(desk):
    """That the search finds what there is: a text of the daemon's own environment."""
    at = desk(build=SIM_BUILD)
    core = core_of(at.sensor.process.pid, at.sensor.folder)
    assert at.sim.ready["secret_access_key"].encode() in core


@pytest.mark.long
@pytest.mark.parametrize("escrow, kind", [
    ("sensor", "rsa2048"), ("memory", "ec256"), ("secretsmanager", "rsa2048"),
    *dose([], [("sensor", "ec256"), ("memory", "rsa2048"), ("secretsmanager", "ec256")])])
def test_no_key_is_found_unsealed(desk, ec, rsa, tmp_path, escrow, kind):
    at = desk(options={"key_escrow": escrow}, sensor_options="log_level = debug", build=SIM_BUILD)
    authority = ec if kind == "ec256" else rsa
    pid = at.sensor.process.pid
    watch = Watch(pid)
    bundles = [authority.issue("www.example.com", key=new_key(kind)) for _ in range(5)]
    _, job = at.deliver(bundles[0])
    encrypted = {**at.material(bundles[1]), "passphrase": PASSPHRASE.decode(),
                 "key": key_pem(bundles[1].key, passphrase=PASSPHRASE).decode()}
    _, job = at.deliver(None, arn=job["arn"], **encrypted)
    if escrow == "sensor":
        back = at.wait(at.post("/v1/rollback", job=job["id"])["job"]["id"])
        assert back["state"] == "restored", back
    p12 = {"pkcs12": pkcs12(tmp_path, bundles[2]), "passphrase": PASSPHRASE.decode()}
    at.deliver(None, arn=job["arn"], **p12)
    expired = authority.issue("www.example.com", key=bundles[3].key, days=(-90, -1))
    at.refused("/v1/plan", 400, account=at.account, region="us-east-1", **at.material(expired))
    at.plan(bundles[4])  # never applied: its key waits
    waiting = [bundles[4].key] if escrow == "memory" else []
    shown = watch.end()
    wanted = [PASSPHRASE] + [mark for bundle in bundles if bundle.key not in waiting
                             for mark in key_marks(bundle.key)]
    expect_nowhere(wanted, released(pid, tmp_path))
    late = [mark for key in waiting for mark in key_marks(key)]
    if waiting:  # it is found where it must be, and in no core
        places = [is_left_out for _, is_left_out, data in writable_memory(pid)
                  if key_marks(waiting[0])[0] in data]
        assert places == [True]
        expect_nowhere(late, [("the core", core_of(pid, tmp_path))])
    at.sensor.stop()
    expect_nowhere(wanted + late, [("what others see", data) for data in shown])
    expect_nowhere(wanted + late, files_of(at.sensor))


def pkcs12(folder, bundle):
    (folder / "all.pem").write_bytes(pem(bundle.leaf, *bundle.chain) + key_pem(bundle.key))
    subprocess.run(["openssl", "pkcs12", "-export", "-in", folder / "all.pem", "-out",
                    folder / "all.p12", "-passout", "pass:" + PASSPHRASE.decode()], check=True)
    return base64.b64encode((folder / "all.p12").read_bytes()).decode()


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_made_on_the_sensor_leaves_it_to_acm_only(desk, ec, rsa, tmp_path, kind):
    at = desk(sensor_options="log_level = debug", build=SIM_BUILD)
    pid = at.sensor.process.pid
    watch = Watch(pid)
    made = at.post("/v1/csr", domains=["k.example.com"], key_type=kind)["csr"]
    request = x509.load_pem_x509_csr(made["pem"].encode())
    authority = ec if kind == "ec256" else rsa
    signed = authority.issue("k.example.com", key=PublicOnly(request.public_key()))
    plan = at.plan(None, csr=made["id"], certificate=pem(signed.leaf).decode(),
                   chain=pem(*signed.chain).decode())
    job = at.wait(at.apply(plan))
    assert job["state"] == "succeeded", job
    key = serialization.load_pem_private_key(at.sim.key(job["arn"]), None)
    assert key.public_key().public_numbers() == request.public_key().public_numbers()
    shown = watch.end()
    wanted = key_marks(key)
    expect_nowhere(wanted, released(pid, tmp_path))
    at.sensor.stop()
    expect_nowhere(wanted, [("what others see", data) for data in shown])
    expect_nowhere(wanted, files_of(at.sensor))


def test_the_cli_shows_no_key_to_others(desk, ec, tmp_path):
    """Neither as arguments nor in its environment, and it has no children, while it waits."""
    at = desk(build=SIM_BUILD)
    bundle = ec.issue("www.example.com", key=new_key("ec256"))
    (tmp_path / "cert").write_bytes(pem(bundle.leaf, *bundle.chain))
    (tmp_path / "key").write_bytes(key_pem(bundle.key, passphrase=PASSPHRASE))
    (tmp_path / "pass").write_bytes(PASSPHRASE)
    for path in ("key", "pass"):
        (tmp_path / path).chmod(0o600)
    at.sim.faults({"kind": "latency", "ms": 500, "probability": 1})
    at.sim.reset_stats()
    one = subprocess.Popen(
        [str(SIM_BUILD / "acmsensor"), "--socket", str(at.sensor.socket), "plan", "--connector",
         "prod", "--account", at.accounts[1], "--region", "us-east-1", "--cert",
         str(tmp_path / "cert"), "--key", str(tmp_path / "key"), "--passphrase-file",
         str(tmp_path / "pass")], env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    watch = Watch(one.pid)
    wait_until(lambda: at.sim.stats()["operations"], what="a call")
    shown = watch.end()
    out, err = one.communicate(timeout=30)
    assert one.returncode in (0, 4), (out, err)
    wanted = [PASSPHRASE, *key_marks(bundle.key), (tmp_path / "key").read_bytes().splitlines()[1]]
    expect_nowhere(wanted, [("what others see", data) for data in (*shown, out, err)])


def test_a_secret_that_cannot_be_deleted_is_told_until_it_is_gone(desk, ec):
    at = desk(skips_time=True, options={"key_escrow": "secretsmanager"})
    left = "private key should be gone from AWS Secrets Manager and is not: "

    def attention():
        return [one["text"] for one in at.sensor.status()["attention"] if "Secrets Manager" in one["text"]]

    plan = at.plan(ec.issue("www.example.com"))
    at.sim.mutate("deny_action", action="secretsmanager:DeleteSecret")
    shown = Cli("--socket", at.sensor.socket).run("apply", plan["id"], "--wait", code=4).stdout
    text = " ".join(shown.split())
    assert "warning: the private key could not be deleted from AWS Secrets Manager (secret " in text
    assert "AccessDeniedException" in text and "acmsensor status tells while it is there" in text
    assert attention() == ["1 " + left + "the job that left it tells why"]
    at.sensor.stop()
    at.start()
    job = at.sensor.get("/v1/jobs")["jobs"][0]
    assert job["state"] == "succeeded" and "warning: the private key could not be deleted" in job["reason"]
    at.time.skip(6)
    wait_until(attention, what="the look for secrets after the start")
    assert left in attention()[0] and "secretsmanager:DeleteSecret" in attention()[0]
    at.sim.mutate("allow_action", action="secretsmanager:DeleteSecret")
    at.time.skip(61)
    wait_until(lambda: not attention(), what="the next look")
    assert [one["state"] for one in at.sim.secrets()] == ["gone"]
