"""Keys, tokens and the external id stay where they belong: in no log line, event, store file,
answer, argument or child, in no core file, and in memory only as long and where they must."""
import base64
import hashlib
import hmac
import os
import pathlib
import re
import signal
import subprocess

import pytest

from torture import HAS_SANITIZER, clean_scan, dose

EXTERNAL_ID = "external-secret-4711"
SMALL = dict(accounts=8, units=0, regions="us-east-1,eu-west-1", certs_per_region=3, rate_scale=0,
             base_token=True, external_id=EXTERNAL_ID)
SESSION_KEY = re.compile(rb"ASIA[A-Z2-7]{16}")


def known_secrets(sim):
    """What must be seen nowhere outside; a part of a long text stands for it."""
    access, secret, token = sim.base_keys()
    return {"access key": access, "secret key": secret, "session token": token[:64],
            "end of the session token": token[-64:], "external id": EXTERNAL_ID}


def expect_clean(where, data, secrets):
    for name, secret in secrets.items():
        assert secret.encode() not in data, f"{name} in {where}"
        assert base64.b64encode(secret.encode()).rstrip(b"=")[:-1] not in data, f"{name} in {where}"
    found = SESSION_KEY.search(data)
    assert found is None, f"{found.group()} in {where}"


def children(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@pytest.mark.parametrize("trouble", dose([True], [False, True]))
def test_secrets_are_seen_nowhere(awssim, sensor, trouble):
    sim = awssim(seed=41, **SMALL, mixed=trouble, session_seconds=900)
    daemon = sensor(sim, via="tls", sensor_options="log_level = debug").start()
    clean_scan(daemon)
    if trouble:  # errors tell what was tried, so they are where a secret would slip out
        sim.faults(*({"kind": kind, "probability": 0.1} for kind in
                     ("http500", "throttle", "garbage", "truncate", "expired_token", "reset")))
        clean_scan(daemon)
        sim.faults({"kind": "error", "code": "AccessDenied", "status": 403, "probability": 1,
                    "service": "sts", "operation": "AssumeRole"})
        clean_scan(daemon)
        sim.faults()
    secrets = known_secrets(sim)
    for path in ("status", "progress", "config", "events", "coverage", "accounts", "certificates"):
        hidden = dict(secrets)
        if path == "config":
            del hidden["external id"]  # whoever set it must be able to look at it
        expect_clean(path, daemon.request("GET", "/v1/" + path)[1].encode(), hidden)
    pid = daemon.process.pid
    assert children(pid) == []
    expect_clean("argv", pathlib.Path(f"/proc/{pid}/cmdline").read_bytes(), secrets)
    daemon.stop()
    log = daemon.log.read_bytes()
    assert b"debug" in log and b"AssumeRole" in log
    expect_clean("the log", log, secrets)
    files = [path for path in daemon.data_dir.rglob("*") if path.is_file()]
    assert {"store.mdb", "store.lock"} <= {path.name for path in files}
    for path in files:
        expect_clean(path.name, path.read_bytes(), secrets)
        assert path.stat().st_mode & 0o077 == 0, path


def test_once_and_check_print_no_secret(awssim, sensor):
    sim = awssim(seed=42, **SMALL)
    daemon = sensor(sim, sensor_options="log_level = debug")
    secrets = known_secrets(sim)
    for arguments in (["--check"], ["--once"]):
        done = daemon.run(*arguments)
        assert done.returncode == 0, done.stderr
        expect_clean(arguments, (done.stdout + done.stderr).encode(), secrets)


# --- memory


def writable_memory(pid):
    """(name, is left out of core files, bytes) of each mapping that is in use."""
    mapping = None
    found = []
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        fields = line.split()
        if re.match(r"[0-9a-f]+-[0-9a-f]+$", fields[0]):
            mapping = {"range": fields[0], "mode": fields[1], "name": " ".join(fields[5:])}
        elif fields[0] == "Rss:":
            mapping["resident"] = int(fields[1]) > 0
        elif fields[0] == "VmFlags:" and mapping["resident"] and "w" in mapping["mode"]:
            found.append({**mapping, "is_left_out": "dd" in fields})
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for one in found:
            start, end = (int(address, 16) for address in one["range"].split("-"))
            if end - start > 1 << 30:
                continue  # a sanitizer's shadow
            memory.seek(start)
            try:
                yield one["name"], one["is_left_out"], memory.read(end - start)
            except OSError:
                pass


def without_environment(data):
    """The daemon got its own keys in its environment, where they stay (and once more, where a
    sanitizer copied it)."""
    return re.sub(rb"AWS_(SECRET_ACCESS_KEY|SESSION_TOKEN)=[^\0]*", b"", data)


def session_secret(base_secret, access_key):
    """As awssim makes it from the base secret (tests/awssim/creds.c)."""
    mac = hmac.new(base_secret.encode(), access_key, hashlib.sha256).digest()
    return base64.b64encode(mac[:30])


def test_memory_keeps_no_session_and_the_base_keys_in_one_place(awssim, sensor):
    sim = awssim(seed=43, **SMALL)
    daemon = sensor(sim, via="tls").start()
    daemon.wait_idle()
    memory = [(name or "memory", is_left_out, without_environment(data))
              for name, is_left_out, data in writable_memory(daemon.process.pid)]
    keys = {key for _, _, data in memory for key in SESSION_KEY.findall(data)}
    secret = sim.ready["secret_access_key"]
    for name, is_left_out, data in memory:
        for key in keys:  # an access key's id is no secret; what belongs to it is
            assert session_secret(secret, key) not in data, f"a session's key is left in {name}"
        if not is_left_out:
            assert secret.encode() not in data, f"the base secret is in {name}"
            assert b"IQoJb3JpZ2luX2VjE" not in data, f"a token is left in {name}"
    assert any(is_left_out and secret.encode() in data for _, is_left_out, data in memory)
    daemon.stop()


# --- core files


def killed_with_core_allowed(process, number):
    """Whether the kernel wrote a core file when the process died of the signal."""
    subprocess.run(["prlimit", "--core=unlimited", "--pid", str(process.pid)], check=True)
    process.send_signal(number)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else 1
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == number, status
    return os.WCOREDUMP(status)


# A sanitizer catches SIGSEGV for itself.
@pytest.mark.parametrize("number", [signal.SIGABRT if HAS_SANITIZER else signal.SIGSEGV,
                                    *dose([], [signal.SIGTRAP, signal.SIGSYS])])
def test_a_crash_leaves_no_core(awssim, sensor, tmp_path, monkeypatch, number):
    sim = awssim(seed=44, **SMALL)
    monkeypatch.chdir(tmp_path)
    other = subprocess.Popen(["sleep", "60"])
    assert killed_with_core_allowed(other, number), \
        "this machine writes no core files at all, so the test proves nothing"
    for core in tmp_path.glob("core*"):
        core.unlink()
    daemon = sensor(sim).start()
    daemon.wait_idle()
    assert not killed_with_core_allowed(daemon.process, number)
    daemon.process = None
    assert list(tmp_path.glob("core*")) == []
