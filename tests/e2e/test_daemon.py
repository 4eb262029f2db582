"""The daemon as a program: configuration, exit codes, --once, its data directory."""
import os
import re
import signal
import subprocess

import pytest

from awssim import ROOT
from other_user import NOBODY, open_to_everybody, takes_root
from waiting import wait_until

SMALL = dict(accounts=4, regions="us-east-1,eu-west-1", certs_per_region=3, rate_scale=0)


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


@takes_root
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
    schema = int(re.search(r"STORE_SCHEMA = (\d+)", (ROOT / "store/store.h").read_text()).group(1))
    places = [found.end() for found in re.finditer(rb"schema", image)]
    assert places
    for place in places:  # the number behind the key, in whatever width
        one = image.index(schema, place, place + 24)
        image[one] = schema + 1
    path.write_bytes(image)
    answer = daemon.run()
    assert answer.returncode == 1
    assert "schema" in answer.stderr and re.search(rf"\b{schema}\b", answer.stderr), answer.stderr
    assert path.read_bytes() == image
