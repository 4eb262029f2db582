"""Care of the data and help for people: --check-store, restore, log, support-bundle."""
import base64
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from awssim import BUILD
from bundle import Authority, key_pem
from cli import Cli
from desk import Desk
from test_torture_secrets import SESSION_KEY, SMALL, expect_clean, known_secrets
from torture import clean_scan
from waiting import wait_until


@pytest.fixture
def filled(tmp_path):
    """A configuration whose data folder is filled, and no daemon."""
    data_dir = tmp_path / "data"
    subprocess.run([str(BUILD / "fill_store"), str(data_dir), "96"], check=True)
    config = tmp_path / "acmsensor.conf"
    config.write_text(f"[sensor]\ndata_dir = {data_dir}\ncontrol_socket = {tmp_path}/socket\n")
    return data_dir, config


def check_store(config, code):
    done = subprocess.run([str(BUILD / "acmsensord"), "-c", str(config), "--check-store"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Sanitizer" not in done.stderr
    return done


# --- acmsensord --check-store


def test_a_sound_store_is_said_to_be_sound(filled):
    data_dir, config = filled
    done = check_store(config, 0)
    assert re.fullmatch(rf"{data_dir}: 96 certificates, \d+ events, epoch [0-9a-f]{{16}}: "
                        r"no problem\n", done.stdout)
    assert done.stderr == ""


def damage(data_dir, old, new):
    """Overwrites bytes in the file, as a bad disk would; LMDB has no checksums. Everywhere: pages
    that are not in use any more have them too."""
    path = data_dir / "store.mdb"
    data = path.read_bytes()
    assert data.count(old) >= 1 and len(old) == len(new)
    path.write_bytes(data.replace(old, new))


def test_a_damaged_index_is_named_and_made_anew(filled):
    data_dir, config = filled
    # Names of domains lie in the records and, turned round, in the index.
    damage(data_dir, b"com.example.shop1", b"com.example.shopX")
    done = check_store(config, 4)
    assert "table cert_domain, key " in done.stdout
    assert re.search(r"problems?, \d+ repaired \(the indexes were made anew\)\n$", done.stdout)
    check_store(config, 0)
    done = Cli("--offline", data_dir).run("certs", "--domain", "x.shop1.example.com")
    assert "shop1.example.com" in done.stdout


def test_a_changed_event_is_found_and_cannot_be_repaired(filled):
    data_dir, config = filled
    damage(data_dir, b"the store was created", b"the store was CREATED")
    done = check_store(config, 1)
    assert "left: restore a backup (acmsensor restore FILE)" in done.stdout


def test_no_store_is_an_error(tmp_path):
    config = tmp_path / "acmsensor.conf"
    config.write_text(f"[sensor]\ndata_dir = {tmp_path / 'file' / 'data'}\n")
    (tmp_path / "file").write_text("")
    assert "cannot make the data folder" in check_store(config, 1).stderr


def test_a_running_daemon_is_named(awssim, sensor):
    daemon = sensor(awssim(**SMALL)).start()
    done = daemon.run("--check-store")
    assert done.returncode == 1
    assert f"in use by process {daemon.process.pid}" in done.stderr


# --- acmsensor restore


def test_a_backup_is_restored_and_the_daemon_goes_on_from_there(awssim, sensor, tmp_path):
    sim = awssim(**SMALL)
    daemon = sensor(sim).start()
    clean_scan(daemon)
    Cli("--socket", daemon.socket).run("backup", tmp_path / "backup")
    before = daemon.certificates()
    epoch = daemon.status()["store"]["epoch"]
    sim.mutate("renew", percent=100)
    clean_scan(daemon)
    offline = Cli("--offline", daemon.data_dir)
    done = offline.run("restore", tmp_path / "backup", code=1)
    assert f"in use by process {daemon.process.pid}" in done.stderr
    assert daemon.status()["store"]["epoch"] == epoch
    daemon.stop()

    done = offline.run("restore", tmp_path / "backup")
    assert f"{len(before)} certificates" in done.stderr and "new epoch" in done.stderr
    kept = re.search(r"kept as (\S+)", done.stderr).group(1)
    assert os.stat(kept).st_mode & 0o777 == 0o600
    restored = {one["arn"]: one for one in offline.json("certs")["certificates"]}
    assert {arn: one["serial"] for arn, one in restored.items()} == \
        {arn: one["serial"] for arn, one in before.items()}

    daemon.start()
    clean_scan(daemon)
    daemon.compare()
    assert daemon.status()["store"]["epoch"] != epoch
    events = daemon.events()
    told = [one for one in events if one["kind"] == "store_restored"]
    assert len(told) == 1 and str(tmp_path / "backup") in told[0]["detail"]
    daemon.stop()
    assert daemon.run("--check-store").returncode == 0


def test_what_is_no_backup_is_refused_and_changes_nothing(filled, tmp_path):
    data_dir, _ = filled
    before = sorted(path.name for path in data_dir.iterdir())
    data = (data_dir / "store.mdb").read_bytes()
    other = tmp_path / "other"
    cli = Cli("--offline", data_dir)
    for content, says in ((b"", "is empty"), (b"x" * 8192, "is not a store of acmsensor"),
                          (data[:len(data) // 2], "an incomplete copy")):
        other.write_bytes(content)
        assert says in cli.run("restore", other, code=1).stderr
    assert "No such file" in cli.run("restore", tmp_path / "none", code=1).stderr
    assert "is not a file" in cli.run("restore", tmp_path, code=2).stderr
    assert sorted(path.name for path in data_dir.iterdir()) == before
    assert (data_dir / "store.mdb").read_bytes() == data


def test_a_killed_restore_leaves_a_whole_store_whenever_it_is_killed(filled, tmp_path):
    data_dir, config = filled
    cli = Cli("--offline", data_dir)
    cli.run("backup", tmp_path / "backup")
    begin = time.monotonic()
    cli.run("restore", tmp_path / "backup")
    took = time.monotonic() - begin
    for part in range(8):
        process = cli.start("restore", tmp_path / "backup")
        time.sleep(took * part / 8)
        process.kill()
        process.communicate()
        assert "96 certificates" in check_store(config, 0).stdout
    cli.run("restore", tmp_path / "backup")
    assert not (data_dir / "restore.new").exists()


# --- acmsensor log


def test_the_level_changes_for_a_while_and_goes_back_by_itself(awssim, sensor):
    daemon = sensor(awssim(**SMALL)).start()
    daemon.wait_idle()
    cli = Cli("--socket", daemon.socket)
    assert " debug " not in daemon.log_text()
    done = cli.run("log", "debug", "--for", "2s")
    assert re.fullmatch(r"acmsensor: the level is debug until \S+Z, then info\n", done.stderr)
    clean_scan(daemon)
    assert " debug " in daemon.log_text()
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "reload configuration result=done" in daemon.log_text())
    assert daemon.get("/v1/log")["log"]["level"] == "debug"
    wait_until(lambda: "the time for the other is over" in daemon.log_text())
    log = daemon.get("/v1/log")["log"]
    assert (log["level"], log["configured"], log["until"]) == ("info", "info", None)
    asked = [one for one in daemon.events() if one["detail"].startswith("log ")]
    assert [one["detail"] for one in asked] == ["log debug for 2s"]
    assert asked[0]["subject"] == f"uid {os.geteuid()}"

    cli.run("log", "error")
    assert "the level is info" in cli.run("log", "default").stderr
    done = cli.run("log")
    assert "start sensor name=e2e" in done.stdout and "the level is info" in done.stderr
    assert cli.json("log")["log"]["lines"][0] in done.stdout


def test_mistakes_about_the_level_are_named(awssim, sensor):
    daemon = sensor(awssim(**SMALL)).start()
    cli = Cli("--socket", daemon.socket)
    assert "expected error, warning, info, debug or default" in \
        cli.run("log", "loud", code=2).stderr
    assert "--for needs a level" in cli.run("log", "--for", "1m", code=2).stderr
    assert "--for" in cli.run("log", "debug", "--for", "soon", code=2).stderr
    assert "1 to 86400 seconds" in cli.run("log", "debug", "--for", "2d", code=2).stderr


# --- acmsensor support-bundle


def test_a_support_bundle_tells_what_is_needed_and_no_secret(awssim, sensor, tmp_path):
    sim = awssim(seed=47, **SMALL, mixed=True)
    daemon = sensor(sim, via="tls", sensor_options="log_level = debug").start()
    clean_scan(daemon)
    desk = Desk(sim, daemon)
    bundle = Authority("ec256").issue("www.example.com")
    _, job = desk.deliver(bundle)
    cli = Cli("--socket", daemon.socket)
    cli.run("csr", "--domain", "csr.example.com")
    file = tmp_path / "bundle.txt"
    done = cli.run("support-bundle", file)
    assert "read it before you send it" in done.stderr and done.stdout == ""
    assert file.stat().st_mode & 0o777 == 0o600
    data = file.read_bytes()
    text = data.decode()
    assert "\n=== " in text and "\x1b" not in text
    titles = re.findall(r"^=== (.*)$", text, re.M)
    assert titles[:4] == ["versions", "status", "configuration", "places that were not read"]
    assert {"deliveries", "metrics", "events, the last ones", "log, the last lines"} <= set(titles)
    for part in ("libcurl ", "LMDB ", "Connector prod", "role_name", "(set, not shown)",
                 job["id"], "certificate_appeared", "end cycle connector=prod", '"epoch"'):
        assert part in text, part
    secrets = known_secrets(sim)
    key = key_pem(bundle.key).decode()
    secrets["private key"] = "".join(key.splitlines()[1:-1])[:40]
    secrets["mark of a key"] = "PRIVATE KEY-----"
    for path in (daemon.data_dir / "vault").iterdir():
        if path.is_file() and path.stat().st_size == 32:
            raw = path.read_bytes()
            assert raw not in data and raw.hex().encode() not in data
            assert base64.b64encode(raw) not in data
    expect_clean("the support bundle", data, secrets)
    assert SESSION_KEY.search(data) is None

    # It overwrites nothing, not even through a link.
    assert "nothing is overwritten" in cli.run("support-bundle", file, code=2).stderr
    assert file.read_bytes() == data
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    cli.run("support-bundle", link, code=2)
    assert not (tmp_path / "elsewhere").exists()


def test_a_support_bundle_without_a_daemon(filled, tmp_path):
    data_dir, _ = filled
    file = tmp_path / "bundle.txt"
    done = Cli("--socket", tmp_path / "none").run("support-bundle", file, code=3)
    assert "--offline" in done.stderr and not file.exists()
    Cli("--offline", data_dir).run("support-bundle", file)
    text = file.read_text()
    assert "left out: it needs the daemon" in text and "=== status" in text


def test_a_support_bundle_that_does_not_fit_is_no_bundle(filled):
    data_dir, _ = filled
    assert "cannot make /dev/full, nothing is overwritten" in \
        Cli("--offline", data_dir).run("support-bundle", "/dev/full", code=2).stderr
    if shutil.which("prlimit") is None:
        pytest.skip("no prlimit")
    file = data_dir.parent / "bundle"
    cli = Cli("--offline", data_dir)
    done = subprocess.run(["prlimit", "--fsize=4096", "--", "sh", "-c", "trap '' XFSZ; exec \"$@\"",
                           "sh", *cli.command("support-bundle", file)],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and f"cannot write {file}" in done.stderr, done.stderr
    assert not file.exists()
