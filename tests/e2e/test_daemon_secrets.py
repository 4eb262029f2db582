"""The daemon's secrets: where the vault's key comes from, and that nobody can read what it holds."""
import json
import os
import pathlib
import re
import signal
import subprocess

from other_user import NOBODY, open_to_everybody, takes_root

SMALL = dict(accounts=4, regions="us-east-1,eu-west-1", certs_per_region=3, rate_scale=0)


def test_the_vault_takes_its_key_from_the_credentials(awssim, sensor, tmp_path):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    key = credentials / "acmsensor.vault-key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o400)
    daemon = sensor(awssim(seed=42, **SMALL)).start(CREDENTIALS_DIRECTORY=str(credentials))
    assert f"open vault key={key}" in daemon.log_text()
    assert not (daemon.data_dir / "vault" / "master.key").exists()
    daemon.stop()
    # Without one it makes its own file, and a credential of the wrong size is not passed over.
    daemon.start()
    assert "open vault key=data_dir" in daemon.log_text()
    assert (daemon.data_dir / "vault" / "master.key").stat().st_size == 32
    daemon.stop()
    key.chmod(0o600)
    key.write_bytes(b"short")
    answer = daemon.run(CREDENTIALS_DIRECTORY=str(credentials))
    assert answer.returncode == 2 and f"the master key file {key} has 5 bytes, not 32" in answer.stderr


@takes_root
def test_nobody_reads_its_memory_however_it_is_started(awssim, sensor):
    """An undumpable process has no core file, and its files in /proc belong to root."""
    daemon = sensor(awssim(seed=42, **SMALL))
    open_to_everybody(daemon.folder)
    os.chown(daemon.folder, NOBODY, NOBODY)
    daemon.start(user=NOBODY)
    process = pathlib.Path(f"/proc/{daemon.process.pid}")
    assert f"Uid:\t{NOBODY}" in (process / "status").read_text()
    assert (process / "environ").stat().st_uid == 0
    daemon.stop()


def test_no_secret_is_anywhere_it_could_be_read(awssim, sensor):
    session_keys = dict(base_token=True, external_id="e2e-external-id")
    sim = awssim(seed=49, **session_keys, **SMALL)
    daemon = sensor(sim, sensor_options="log_level = debug").start()
    daemon.wait_idle()
    sim.faults({"kind": "expired_token", "probability": 0.2, "service": "acm"},
               {"kind": "garbage", "probability": 0.1})
    daemon.scan()
    secrets = [sim.ready["secret_access_key"], sim.ready["session_token"]]
    # What the sensor was given by AssumeRole begins as awssim's tokens do.
    token = sim.assume(next(a["account_id"] for a in sim.truth(certificates=0)["accounts"]
                            if not a["is_hub"]))
    secrets += [token[1], token[2]]
    prefix = os.path.commonprefix([token[2], sim.ready["session_token"]])
    assert all(secrets)
    places = {"log": daemon.log.read_bytes(), "status": json.dumps(daemon.status()).encode(),
              "events": json.dumps(daemon.events()).encode(),
              "config": json.dumps(daemon.get("/v1/config")).encode()}
    places["argv"] = pathlib.Path(f"/proc/{daemon.process.pid}/cmdline").read_bytes()
    for path in filter(pathlib.Path.is_file, daemon.data_dir.rglob("*")):
        places[path.name] = path.read_bytes()
    for name, content in places.items():
        for secret in secrets:
            assert secret.encode() not in content, name
        assert len(prefix) < 8 or prefix.encode() not in content, name
        assert b"X-Amz-Security-Token" not in content and b"Signature=" not in content, name
    # No core file and no debugger: what is in memory stays there.
    status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    assert re.search(r"^CoreDumping:\s*0", status, re.M)
    children = subprocess.run(["ps", "--ppid", str(daemon.process.pid), "-o", "pid="],
                              capture_output=True, text=True).stdout.split()
    assert children == []
    os.kill(daemon.process.pid, signal.SIGABRT)
    daemon.process.wait(30)
    daemon.process = None
    assert not list(daemon.folder.glob("**/core*")) and not list(pathlib.Path(".").glob("core*"))
