"""The daemon as a program: start, stop, reload, exit codes, local API, secrets."""
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from acmsensor import Sensor, UnixConnection
from stopwatch import Stopwatch

SMALL = dict(accounts=4, regions="us-east-1,eu-west-1", certs_per_region=3, rate_scale=0)
NOBODY = 65534
IS_ROOT = os.geteuid() == 0


def open_to_everybody(folder):
    while folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o002:
        folder.chmod(0o755)
        folder = folder.parent


def wait_until(what, timeout=30):
    end = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


# --- configuration and exit codes


class NoAws:
    """In place of awssim where no request is made."""
    ready = {"home_region": "us-east-1", "role_name": "Reader", "external_id": None}

    def endpoint(self, via):
        return "http://127.0.0.1:9"

    def environment(self, **_):
        return {"AWS_ENDPOINT_URL": "", "PATH": os.environ["PATH"], "HOME": "/nonexistent",
                **{name: os.environ[name] for name in ("ASAN_OPTIONS",) if name in os.environ}}


def test_check_names_every_mistake_with_its_place(sensor):
    daemon = sensor(NoAws())
    assert daemon.run("--check").returncode == 0
    daemon.config.write_text(
        "[sensor]\nmax_requets = 3\nlog_level = loud\nmetrics_listen = localhost\n"
        "[connector prod]\ninterval = 5 parsecs\nregions = us-east-1, Mars\nauth = vault\n"
        "interval = 1h\n[connector prod]\nregion = x\n[conector]\n")
    answer = daemon.run("--check")
    assert answer.returncode == 2 and answer.stdout == ""
    lines = answer.stderr.splitlines()
    expected = [
        (2, 1, "did you mean max_requests?"), (3, 13, 'log_level = "loud": expected error, warning'),
        (4, 18, "expected off, or a numeric address and a port"), (6, 12, '"5 parsecs": expected a duration from 1m to 31d'),
        (7, 11, '"Mars": expected'), (8, 8, "auth = vault: not in this version"),
        (10, 1, "[connector prod] is there twice, first at"), (12, 1, "unknown section [conector]")]
    assert len(lines) == len(expected), lines
    for line, (number, column, words) in zip(lines, expected):
        assert line.startswith(f"{daemon.config}:{number}:{column}: "), line
        assert words in line, line
    for mode in ([], ["--once"]):
        assert daemon.run(*mode).returncode == 2


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--check", "--once"], ["stray"]])
def test_usage_errors_exit_with_2(sensor, arguments):
    answer = sensor(NoAws()).run(*arguments)
    assert answer.returncode == 2 and answer.stderr and not answer.stdout


def test_version_and_help(sensor):
    daemon = sensor(NoAws())
    version = daemon.run("--version")
    assert version.returncode == 0 and re.fullmatch(r"acmsensord \d+\.\d+\.\d+\n", version.stdout)
    usage = daemon.run("--help")
    assert usage.returncode == 0 and "--once" in usage.stdout and not usage.stderr


def test_the_example_is_a_correct_configuration(sensor):
    daemon = sensor(NoAws())
    example = daemon.run("--example")
    assert example.returncode == 0
    daemon.config.write_text(example.stdout)
    assert daemon.run("--check").returncode == 0
    assert ": correct, 0 connectors" in daemon.run("--check").stdout
    # And so it is with every option at its default.
    daemon.config.write_text(re.sub(r"(?m)^;(?=\w+ =|\[)", "", example.stdout))
    assert ": correct, 1 connector\n" in daemon.run("--check").stdout


def test_once_exits_with_0_when_everything_was_read_and_4_when_not(awssim, sensor):
    complete = sensor(awssim(seed=31, **SMALL))
    answer = complete.run("--once")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("4 accounts, 8 account-regions read, ")
    sim = awssim(seed=32, no_role=1, suspended=1, acm_denied=1, **SMALL)
    daemon = sensor(sim)
    answer = daemon.run("--once")
    assert answer.returncode == 4
    unread = answer.stdout.split("not read:\n")[1].splitlines()
    truth = {(a["account_id"], c["region"]): c["state"]
             for a in sim.truth(certificates=0)["accounts"] for c in a["coverage"]}
    problems = {pair: state for pair, state in truth.items()
                if state not in ("ok", "account_inactive", "region_disabled")}
    assert len(unread) == len(problems) == 3
    for (account, region), state in problems.items():
        assert any(line.strip().startswith(f"{account} {region} ") and state in line
                   for line in unread), (account, region, unread)
    # What was read is there, and the daemon that follows has nothing to do.
    sim.reset_stats()
    daemon.start()
    daemon.compare()
    assert daemon.progress() == [] and sim.stats()["requests"] == 0


def test_once_exits_with_1_when_a_cycle_fails(awssim, sensor):
    sim = awssim(seed=33, **SMALL)
    daemon = sensor(sim)
    answer = daemon.run("--once", AWS_SECRET_ACCESS_KEY="wrong" * 8)
    assert answer.returncode == 1
    assert "connector prod: " in answer.stderr and "SignatureDoesNotMatch" in answer.stderr
    answer = daemon.run("--once", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert answer.returncode == 1 and "connector prod: " in answer.stderr
    daemon.configure({})
    assert daemon.run("--once").returncode == 2


def test_once_that_is_interrupted_keeps_what_was_read(awssim, sensor):
    sim = awssim(seed=50, **SMALL)
    daemon = sensor(sim)
    sim.faults({"kind": "stall", "probability": 1, "service": "acm", "region": "eu-west-1"})
    process = subprocess.Popen(daemon.command("--once"), env=daemon.environment(),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: sim.stats()["faults"] >= 4)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=2)
    assert process.returncode == 1 and "interrupted" in errors and not out
    sim.faults()
    daemon.start()  # and the daemon goes on from there
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    daemon.compare()


def test_credentials_and_ca_come_from_a_profile(awssim, sensor, tmp_path):
    sim = awssim(seed=51, **SMALL)
    access, secret, _ = sim.base_keys()
    (tmp_path / "credentials").write_text(
        f"[audit]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n")
    (tmp_path / "config").write_text(f"[profile audit]\nca_bundle = {sim.ready['ca_file']}\n")
    daemon = sensor(sim, via="tls", auth="profile", profile="audit", ca_bundle=None)
    files = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_ACCESS_KEY_ID": "",
             "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
             "AWS_SECRET_ACCESS_KEY": ""}
    daemon.start(**files)
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    daemon.compare()
    assert "audit" in daemon.status()["connectors"][0]["credentials"]
    daemon.stop()
    # The environment's CA bundle goes before the profile's.
    (tmp_path / "config").write_text("[profile audit]\nca_bundle = /nonexistent\n")
    daemon.start(**files, AWS_CA_BUNDLE=sim.ready["ca_file"])
    assert daemon.scan()["result"] == "complete"


def test_once_draws_a_progress_bar_on_a_terminal_only(awssim, sensor):
    sim = awssim(seed=34, latency_ms=30, **SMALL)
    daemon = sensor(sim)
    terminal, end = os.openpty()
    process = subprocess.Popen(daemon.command("--once"), env=daemon.environment(),
                               stdout=subprocess.PIPE, stderr=end)
    os.close(end)
    drawn = b""
    try:
        while chunk := os.read(terminal, 4096):
            drawn += chunk
    except OSError:
        pass  # the other end is closed
    os.close(terminal)
    assert process.wait() == 0
    assert b"account-regions" in drawn and b"[" in drawn and b"\r" in drawn
    assert process.stdout.read().startswith(b"4 accounts, 8 account-regions read")
    assert "\r" not in daemon.run("--once").stderr


# --- the data directory


def test_a_locked_data_directory_is_refused_with_the_owner_named(awssim, sensor):
    sim = awssim(seed=35, **SMALL)
    daemon = sensor(sim).start()
    daemon.wait_idle()
    other = sensor(sim)
    other.data_dir = daemon.data_dir
    other.configure({"prod": {}})
    for mode in ([], ["--once"]):
        answer = other.run(*mode)
        assert answer.returncode == 1, answer
        assert str(daemon.process.pid) in answer.stderr and str(daemon.data_dir) in answer.stderr
    daemon.compare()


def test_a_data_directory_that_cannot_be_used_is_refused_and_not_touched(sensor):
    daemon = sensor(NoAws())
    daemon.data_dir.write_text("a file")
    answer = daemon.run()
    assert answer.returncode == 1 and str(daemon.data_dir) in answer.stderr
    assert daemon.data_dir.read_text() == "a file"
    daemon.data_dir.unlink()
    daemon.data_dir.mkdir()
    (daemon.data_dir / "store.mdb").write_bytes(b"no store" * 10000)
    answer = daemon.run()
    assert answer.returncode == 1 and "store.mdb" in answer.stderr
    assert (daemon.data_dir / "store.mdb").read_bytes() == b"no store" * 10000


@pytest.mark.skipif(not IS_ROOT, reason="needs another user")
def test_a_data_directory_of_somebody_else_is_refused(sensor):
    daemon = sensor(NoAws())
    daemon.data_dir.mkdir()
    open_to_everybody(daemon.folder)
    answer = subprocess.run(daemon.command(), env=daemon.environment(), capture_output=True,
                            text=True, user=NOBODY, timeout=30)
    assert answer.returncode == 1 and str(daemon.data_dir) in answer.stderr, answer
    assert list(daemon.data_dir.iterdir()) == []


def in_small_disk(daemon, options, arguments):
    """The program with a disk of its own as data_dir; None where that is not allowed."""
    script = f'mount -t tmpfs -o {options} none "$1" && shift && exec "$@"'
    probe = ["unshare", "-m", "sh", "-c", script, "sh", str(daemon.data_dir)]
    daemon.data_dir.mkdir(exist_ok=True)
    if subprocess.run([*probe, "true"], capture_output=True).returncode != 0:
        return None
    return subprocess.run([*probe, *daemon.command(*arguments)], env=daemon.environment(),
                          capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("options, arguments", [("size=2m", ["--once"]), ("size=4k", []),
                                                ("size=2m,ro", [])])
def test_a_full_or_read_only_disk_is_an_error_that_names_itself(awssim, sensor, options, arguments):
    sim = awssim(accounts=12, certs_per_region=40, seed=36, rate_scale=0) if arguments else NoAws()
    daemon = sensor(sim)
    answer = in_small_disk(daemon, options, arguments)
    if answer is None:
        pytest.skip("no mount namespace here")
    words = "Read-only file system" if "ro" in options.split(",") else "No space left|0 bytes free"
    assert answer.returncode == 1, answer
    assert re.search(words, answer.stderr) and str(daemon.data_dir) in answer.stderr, answer


def test_a_store_of_a_newer_version_is_refused_and_not_touched(awssim, sensor):
    sim = awssim(seed=37, **SMALL)
    daemon = sensor(sim)
    assert daemon.run("--once").returncode == 0
    path = daemon.data_dir / "store.mdb"
    image = bytearray(path.read_bytes())
    places = [found.end() for found in re.finditer(rb"schema", image)]
    assert places
    for place in places:  # the number behind the key, in whatever width
        one = image.index(3, place, place + 24)
        image[one] = 9
    path.write_bytes(image)
    answer = daemon.run()
    assert answer.returncode == 1
    assert "schema" in answer.stderr and re.search(r"\b3\b", answer.stderr), answer.stderr
    assert path.read_bytes() == image


# --- stop, restart, reload


@pytest.mark.parametrize("service", ["sts", "organizations", "account", "acm"])
def test_sigterm_ends_it_within_two_seconds_while_requests_are_stalled(awssim, sensor, service):
    sim = awssim(seed=38, **SMALL)
    sim.faults({"kind": "stall", "probability": 1, "service": service})
    daemon = sensor(sim).start()
    wait_until(lambda: sim.stats()["faults"] > 0)
    assert daemon.stop() < 2
    assert "Sanitizer" not in daemon.log_text()
    assert not daemon.socket.exists()


def test_a_second_signal_ends_it_at_once(awssim, sensor):
    daemon = sensor(awssim(seed=39, **SMALL)).start()
    daemon.signal(signal.SIGSTOP)  # both signals are there before it can look
    daemon.signal(signal.SIGTERM)
    daemon.signal(signal.SIGINT)
    daemon.signal(signal.SIGCONT)
    code = daemon.process.wait(5)
    daemon.process = None
    assert code in (0, 128 + signal.SIGINT, 128 + signal.SIGTERM)


def test_a_cycle_goes_on_after_kill_9_with_what_was_not_reached(awssim, sensor):
    sim = awssim(accounts=12, regions="us-east-1,eu-west-1", certs_per_region=4, seed=40,
                 rate_scale=0, latency_ms=40)
    daemon = sensor(sim, sensor_options="max_requests = 4").start()
    wait_until(lambda: daemon.progress()[0]["pairs_done"] >= 6)
    daemon.kill()
    sim.reset_stats()
    daemon.start()
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    daemon.compare()
    # Those that were done were not asked again.
    assert 0 < sim.stats()["operations"]["acm:ListCertificates"]["requests"] <= 24 - 6
    kinds = [event["kind"] for event in daemon.events()]
    assert kinds.count("sensor_started") == 2 and kinds.count("cycle_finished") == 1
    details = [event["detail"] for event in daemon.events() if event["kind"] == "cycle_started"]
    assert details == ["by schedule", "continued after a restart"]
    assert "is stale" not in daemon.log_text()


def test_reload_keeps_what_did_not_change_and_follows_what_did(awssim, sensor):
    sim = awssim(accounts=8, regions="us-east-1,eu-west-1", seed=41, rate_scale=0, latency_ms=50,
                 management_has_role=True)
    accounts = sorted(a["account_id"] for a in sim.truth(certificates=0)["accounts"])
    some, others = ",".join(accounts[:4]), ",".join(accounts[4:])
    slow = {"include_accounts": some}
    daemon = sensor(sim, connectors={"keep": slow, "old": {"include_accounts": others}},
                    sensor_options="max_requests = 2").start()
    wait_until(lambda: daemon.progress("keep") and daemon.progress("keep")[0]["pairs_done"] >= 1)
    running = daemon.progress("keep")[0]["cycle_id"]
    # A broken file is refused, and nothing happens.
    good = daemon.config.read_text()
    daemon.config.write_text(good + "nonsense = 1\n")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "result=refused" in daemon.log_text())
    assert "unknown option" in daemon.log_text()
    assert len(daemon.get("/v1/config")["config"]) and daemon.progress("old")
    # One connector goes, one comes, one stays in the middle of its cycle.
    daemon.configure({"keep": slow, "new": {"include_accounts": others, "regions": "us-east-1"}},
                     "max_requests = 2\nlog_level = debug\n")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "result=done" in daemon.log_text())
    assert daemon.progress("keep")[0]["cycle_id"] == running and not daemon.progress("old")
    entries = daemon.wait_idle()
    assert entries["keep"]["cycle_id"] == running
    assert {entry["result"] for entry in entries.values()} == {"complete"}
    wait_until(lambda: not daemon.coverage(connector="old"))
    assert {region for _, region in daemon.coverage(connector="new")
            if daemon.coverage(connector="new")[_, region]["state"] == "ok"} == {"us-east-1"}
    assert {one["connector"] for one in daemon.certificates().values()} == {"keep", "new"}
    # A connector that changes starts over with its new options.
    daemon.configure({"keep": {**slow, "regions": "eu-west-1"},
                      "new": {"include_accounts": others, "regions": "us-east-1"}},
                     "max_requests = 2\n")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: len(daemon.progress("keep")) == 2)
    daemon.wait_idle()
    row = daemon.coverage(connector="keep")[accounts[0], "us-east-1"]
    assert row["state"] == "excluded" and row["certificates"] is not None
    details = [e["detail"] for e in daemon.events() if e["kind"] == "operator"]
    assert details == ["reload refused", "reload", "reload"]


def test_a_connector_that_changes_in_mid_cycle_finishes_it_and_starts_over(awssim, sensor):
    sim = awssim(accounts=6, regions="us-east-1,eu-west-1", seed=52, rate_scale=0, latency_ms=60)
    daemon = sensor(sim, sensor_options="max_requests = 3").start()
    wait_until(lambda: daemon.progress() and daemon.progress()[0]["pairs_done"] >= 1)
    first = daemon.progress()[0]["cycle_id"]
    daemon.configure({"prod": {"regions": "us-east-1"}}, "max_requests = 4\nmax_open = 100\n")
    text = daemon.config.read_text()
    daemon.config.write_text(text.replace("name = e2e", "name = other"))
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "result=done" in daemon.log_text())
    for option in ("name", "max_requests"):
        assert f"reload option={option} " in daemon.log_text()
    assert daemon.progress()[0]["cycle_id"] == first and not daemon.progress()[0]["result"]
    wait_until(lambda: len(daemon.progress()) == 2)
    entries = daemon.progress()
    assert entries[0]["cycle_id"] == first and entries[0]["result"] == "complete"
    assert daemon.wait_idle()["prod"]["result"] == "complete"
    states = {region: row["state"] for (_, region), row in daemon.coverage().items()}
    assert states == {"us-east-1": "ok", "eu-west-1": "excluded"}


@pytest.fixture
def systemd(tmp_path):
    """A socket in place of systemd's; next() waits until a message has a text, and returns it."""
    told = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(told))
        listener.settimeout(20)

        class Systemd:
            path = str(told)

            def next(self, text):
                while True:
                    heard = listener.recv(4096).decode()
                    if text in heard:
                        return heard

            def drain(self):
                """What is there already."""
                heard = []
                while select.select([listener], [], [], 0.05)[0]:
                    heard.append(listener.recv(4096).decode())
                return heard
        yield Systemd()


def test_systemd_is_told_about_start_reload_and_stop(awssim, sensor, systemd):
    daemon = sensor(awssim(seed=42, **SMALL)).start(NOTIFY_SOCKET=systemd.path)
    systemd.next(f"STATUS=opening the store in {daemon.data_dir}")
    systemd.next("READY=1")
    daemon.signal(signal.SIGHUP)
    systemd.next("RELOADING=1\nMONOTONIC_USEC=")
    systemd.next("READY=1")
    daemon.stop()
    systemd.next("STOPPING=1")


def test_systemd_is_told_how_far_a_cycle_is(awssim, sensor, systemd):
    # One call at a time, each of a quarter of a second: the cycle is looked at in its middle.
    sim = awssim(seed=42, latency_ms=250, **SMALL)
    daemon = sensor(sim, sensor_options="max_requests = 1").start(NOTIFY_SOCKET=systemd.path)
    first = systemd.next("STATUS=prod: cycle, ")
    assert "reading the organization" in first or "account-regions" in first
    numbers = [re.search(r"cycle, (\d+) of (\d+) account-regions",
                         systemd.next("account-regions")) for _ in range(2)]
    assert numbers[0].groups() != numbers[1].groups()
    assert int(numbers[0][1]) <= int(numbers[1][1])
    sim.faults(latency_ms=0)
    systemd.next("STATUS=idle; next cycle of prod at 20")
    daemon.stop()


def test_the_watchdog_hears_from_the_loop_and_nothing_when_it_stalls(awssim, sensor, systemd):
    daemon = sensor(awssim(seed=42, **SMALL)).start(
        NOTIFY_SOCKET=systemd.path, WATCHDOG_USEC="400000")
    daemon.wait_idle()
    began = time.monotonic()
    for _ in range(5):
        assert systemd.next("WATCHDOG=1") == "WATCHDOG=1"
    assert time.monotonic() - began < 5
    daemon.signal(signal.SIGSTOP)
    systemd.drain()
    time.sleep(1)
    assert systemd.drain() == []
    daemon.signal(signal.SIGCONT)
    systemd.next("WATCHDOG=1")


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


@pytest.mark.skipif(not IS_ROOT, reason="takes root to start it as another user")
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


# --- the local API


def test_the_socket_is_for_the_owner_and_the_group(awssim, sensor):
    daemon = sensor(awssim(seed=43, **SMALL)).start()
    assert daemon.socket.stat().st_mode & 0o777 == 0o660
    # A stale socket is replaced, one that answers is not.
    daemon.kill()
    assert daemon.socket.exists()
    daemon.start()
    other = Sensor(daemon.folder / "other", daemon.sim)
    other.socket = daemon.socket
    other.configure({"prod": {}})
    answer = other.run()
    assert answer.returncode == 2 and "another acmsensord answers" in answer.stderr
    assert daemon.status()["sensor"]["pid"] == daemon.process.pid
    daemon.stop()
    daemon.socket.write_text("no socket")
    answer = daemon.run()
    assert answer.returncode == 2 and "no socket is there" in answer.stderr
    assert daemon.socket.read_text() == "no socket"


def test_what_the_api_refuses(awssim, sensor):
    daemon = sensor(awssim(seed=44, **SMALL)).start()
    daemon.wait_idle()
    for method, path, body, status, word in [
            ("GET", "/", None, 404, "path"), ("GET", "/v1/nothing", None, 404, "path"),
            ("POST", "/v1/status", "{}", 405, "GET"), ("PUT", "/v1/scan", "{}", 405, "POST"),
            ("DELETE", "/v1/certificates", None, 405, "GET"),
            ("GET", "/v1/scan", None, 405, "POST"),
            ("GET", "/v1/certificates?colour=red", None, 400, "colour"),
            ("GET", "/v1/certificates?expires=soon", None, 400, "expires"),
            ("GET", "/v1/certificates?account=%00", None, 400, "query"),
            ("GET", "/v1/certificates?format=xml", None, 400, "format"),
            ("GET", "/v1/events?wait_s=3600", None, 400, "wait_s"),
            ("GET", "/v1/certificate?q=none.example.org", None, 404, "no certificate"),
            ("POST", "/v1/scan", "[]", 400, "body"), ("POST", "/v1/scan", "{", 400, "body"),
            ("POST", "/v1/scan", '{"account": 5}', 400, "account"),
            ("POST", "/v1/scan", '{"account": "5"}', 400, "12 digits"),
            ("POST", "/v1/scan", '{"region": "MARS"}', 400, "region"),
            ("POST", "/v1/scan", '{"what": "x"}', 400, "members"),
            ("POST", "/v1/scan", '{"connector": "none"}', 404, "connector")]:
        got, text = daemon.request(method, path, body)
        assert got == status, (method, path, got, text)
        assert word in json.loads(text)["error"]["message"], (method, path, text)
    try:
        got, text = daemon.request("POST", "/v1/scan", "x" * 100000)
        assert got == 413 or got == 400, (got, text)
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused by its length, before all was said
    entry = daemon.scan(account="999999999999")
    assert entry["result"] == "failed" and "999999999999" in entry["error"]
    daemon.compare()


@pytest.mark.skipif(not IS_ROOT, reason="needs another user")
def test_another_user_may_read_but_not_change(awssim, sensor):
    daemon = sensor(awssim(seed=45, **SMALL)).start()
    daemon.wait_idle()
    open_to_everybody(daemon.folder)
    daemon.socket.chmod(0o666)
    script = (
        "import http.client, socket, sys\n"
        "def ask(method, path):\n"
        "    connection = http.client.HTTPConnection('localhost')\n"
        "    connection.sock = socket.socket(socket.AF_UNIX)\n"
        "    connection.sock.connect(sys.argv[1])\n"
        "    connection.request(method, path, body='{}' if method == 'POST' else None)\n"
        "    answer = connection.getresponse()\n"
        "    print(answer.status, answer.read().decode())\n"
        "ask('GET', '/v1/status')\nask('POST', '/v1/scan')\n")
    out = subprocess.run([sys.executable, "-c", script, str(daemon.socket)], user=NOBODY,
                         capture_output=True, text=True, timeout=30, check=True).stdout
    read, changed = [line for line in out.splitlines() if re.match(r"\d{3} ", line)]
    assert read.startswith("200 ") and changed.startswith("403 ")
    assert str(NOBODY) in changed
    assert not [e for e in daemon.events() if e["kind"] == "operator"]


def test_a_slow_reader_gets_everything_and_holds_up_nobody(awssim, sensor):
    sim = awssim(accounts=6, regions="us-east-1,eu-west-1", certs_per_region=60, seed=46,
                 rate_scale=0)
    daemon = sensor(sim).start()
    daemon.wait_idle()
    quick = daemon.request("GET", "/v1/certificates?format=ndjson")[1]
    assert len(quick) > 700000
    slow = socket.socket(socket.AF_UNIX)
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(str(daemon.socket))
    slow.sendall(b"GET /v1/certificates?format=ndjson HTTP/1.0\r\n\r\n")
    watch = Stopwatch(daemon.process.pid)
    for _ in range(20):
        daemon.status()
        slow.recv(512)
    assert watch.seconds() < 10
    # Somebody who asks and goes away in the middle costs nothing either.
    gone = socket.socket(socket.AF_UNIX)
    gone.connect(str(daemon.socket))
    gone.sendall(b"GET /v1/certificates HTTP/1.1\r\n\r\n")
    gone.recv(100)
    gone.close()
    received = b""
    while chunk := slow.recv(65536):
        received += chunk
    assert received.count(b'"arn"') >= quick.count('"arn"') - 20
    assert received.endswith(quick.splitlines()[-1].encode() + b"\n")
    lines = {json.loads(line)["arn"] for line in quick.splitlines()}
    assert lines == set(daemon.certificates())


def test_events_are_waited_for(awssim, sensor):
    daemon = sensor(awssim(seed=47, **SMALL)).start()
    daemon.wait_idle()
    last = daemon.events()[-1]["sequence"]
    begin = time.monotonic()
    assert daemon.events(**{"from": last + 1, "wait_s": 1}) == []
    assert time.monotonic() - begin >= 1
    heard = []
    waiter = threading.Thread(target=lambda: heard.extend(
        daemon.events(**{"from": last + 1, "wait_s": 30})))
    waiter.start()
    daemon.ask()
    waiter.join(20)
    assert heard and heard[0]["kind"] == "operator" and heard[0]["sequence"] == last + 1
    assert heard[0]["subject"] == f"uid {os.geteuid()}" and heard[0]["detail"] == "scan"
    # A wait does not hold up the end.
    threading.Thread(target=lambda: wait_quietly(daemon)).start()
    time.sleep(0.2)
    assert daemon.stop() < 2


def wait_quietly(daemon):
    try:
        UnixConnection(str(daemon.socket)).request("GET", "/v1/events?from=999999&wait_s=60")
    except OSError:
        pass


def test_scans_by_hand_join_wait_or_start(awssim, sensor):
    sim = awssim(accounts=5, regions="us-east-1,eu-west-1", seed=48, latency_ms=80, rate_scale=0)
    daemon = sensor(sim).start()
    wait_until(lambda: daemon.progress())
    running = daemon.progress()[0]["cycle_id"]
    account = sim.ready["hub_account_id"]
    joined = daemon.ask()["scans"]
    assert [(s["state"], s["cycle_id"]) for s in joined] == [("joined", running)]
    queued = daemon.ask(account=account, region="us-east-1")["scans"][0]
    again = daemon.ask(account=account, region="us-east-1")["scans"][0]
    assert queued["state"] == again["state"] == "queued"
    assert queued["cycle_id"] == again["cycle_id"]
    assert [e["phase"] for e in daemon.progress() if e["cycle_id"] == queued["cycle_id"]] == ["queued"]
    entries = daemon.wait_for([running, queued["cycle_id"]])
    part = entries[queued["cycle_id"]]
    assert part["result"] == "complete" and part["pairs_done"] == 1 and part["kind"] == "asked"
    assert daemon.ask(region="eu-west-1")["scans"][0]["state"] == "started"
    daemon.wait_idle()
    daemon.compare()


# --- secrets


def readable_files_of(pid):
    for name in ("cmdline", "environ"):
        yield name, pathlib.Path(f"/proc/{pid}/{name}").read_bytes()


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
