"""The Debian package, from apt install to purge."""
import json
import os
import re
import subprocess

from acmsensor import compare_certificates
from system import Daemon

UNIT = "/lib/systemd/system/acmsensord.service"


def test_lintian_finds_nothing(deb):
    changes = next(deb.parent.glob(deb.name.replace(".deb", ".changes")))
    done = subprocess.run(["lintian", "--allow-root", "--fail-on=error,warning", str(changes)],
                          capture_output=True, text=True)
    assert done.returncode == 0 and not re.search("^[EW]:", done.stdout, re.M), done.stdout


def test_debug_symbols_are_in_a_package_of_their_own(deb, tmp_path):
    debug = deb.with_name(deb.name.replace("acmsensor_", "acmsensor-dbgsym_"))
    for package in (deb, debug):
        subprocess.run(["dpkg-deb", "-x", str(package), str(tmp_path / package.stem)], check=True)
    for program in ("usr/sbin/acmsensord", "usr/bin/acmsensor"):
        sections = subprocess.run(["readelf", "-SWn", str(tmp_path / deb.stem / program)],
                                  capture_output=True, text=True, check=True).stdout
        assert ".debug_info" not in sections
        build_id = re.search(r"Build ID: (\w+)", sections)[1]
        assert (tmp_path / debug.stem / "usr/lib/debug/.build-id" / build_id[:2] /
                f"{build_id[2:]}.debug").exists()


def start(system, log, credentials):
    """The daemon as its user, without systemd."""
    return Daemon(system.start(
        "setpriv", "--reuid=acmsensor", "--regid=acmsensor", "--init-groups", "--inh-caps=-all",
        "--bounding-set=-all", "--no-new-privs", "acmsensord", log=log, **credentials),
        log, system.run)


def certificates(system, *options):
    text = system.run("acmsensor", *options, "-o", "json", "certs")
    return {one["arn"]: one for one in json.loads(text)["certificates"]}


def check_installed(system, told, version):
    assert "acmsensor is installed and not started yet" in told
    assert "systemctl enable --now acmsensord" in told
    assert system.run("acmsensord", "--version") == f"acmsensord {version}\n"
    assert system.run("acmsensor", "--version") == f"acmsensor {version}\n"
    assert system.owner("/etc/acmsensor") == ("root", "acmsensor", 0o750)
    assert system.owner("/etc/acmsensor/conf.d") == ("root", "acmsensor", 0o750)
    assert system.owner("/var/lib/acmsensor") == ("acmsensor", "acmsensor", 0o700)
    assert system.owner("/run/acmsensor") == ("acmsensor", "acmsensor", 0o750)
    conffiles = system.run("dpkg-query", "-W", "-f", "${Conffiles}", "acmsensor").split()
    assert conffiles[0::2] == ["/etc/acmsensor/acmsensor.conf"]
    enabled = system.run("find", "/etc/systemd/system", "/var/lib/systemd/deb-systemd-helper-enabled",
                         "-name", "acmsensord.service", code=None)
    assert "multi-user.target.wants" not in enabled
    assert system.run("systemd-analyze", "verify", "--man=no", UNIT) == ""
    assert "correct, 0 connectors" in system.run("acmsensord", "--check")


def check_vault(system):
    """The real systemd-creds; what it sealed opens to the key that is to be backed up."""
    told = system.run("acmsensor", "vault", "init")
    assert "sealed by this host" in told and "Back up the key" in told
    system.at("/etc/acmsensor/vault-key.sealed").stat()
    opened = re.search(r"systemd-creds decrypt .* \| base64", told)[0]
    assert system.run("sh", "-c", opened + " -d | wc -c", code=None) != ""
    assert system.run("sh", "-c", opened + " | base64 -d | wc -c").strip() == "32"
    assert "LoadCredentialEncrypted=acmsensor.vault-key:/etc/acmsensor/vault-key.sealed" in \
        system.at("/etc/systemd/system/acmsensord.service.d/vault-key.conf").read_text()
    assert system.run("systemd-analyze", "verify", "--man=no", UNIT) == ""
    again = system.run("acmsensor", "vault", "init", code=1)
    assert "is there already" in again and "Nothing was changed" in again


def test_life_of_the_package(fresh, deb, next_deb, version, next_version, awssim, tmp_path):
    log = tmp_path / "acmsensord.log"
    check_installed(fresh, fresh.install(deb), version)
    check_vault(fresh)

    # The first cycle, with the packaged configuration and one connector beside it.
    credentials = fresh.configure(awssim)
    with start(fresh, log, credentials) as daemon:
        assert os.stat(f"/proc/{daemon.pid()}/environ").st_uid == 0  # undumpable
        assert f"Uid:\t{fresh.user_id('acmsensor')}" in \
            open(f"/proc/{daemon.pid()}/status").read()
        fresh.run("acmsensor", "scan", "--wait")
        found = certificates(fresh)
        compare_certificates(found, awssim.truth(reachable=1))
        daemon.stop()

    # An upgrade keeps data and what the administrator has written, and says nothing of first steps.
    conf = fresh.at("/etc/acmsensor/acmsensor.conf")
    written = conf.read_text().replace("\n;log_level = info\n", "\nlog_level = debug\n")
    conf.write_text(written)
    told = fresh.install(next_deb)
    assert "not started yet" not in told
    assert fresh.run("acmsensord", "--version") == f"acmsensord {next_version}\n"
    assert conf.read_text() == written and "\nlog_level = debug\n" in written
    assert certificates(fresh, "--offline", "/var/lib/acmsensor") == found
    with start(fresh, log, credentials) as daemon:
        assert set(certificates(fresh)) == set(found)
        fresh.run("acmsensor", "scan", "--wait")
        found = certificates(fresh)
        compare_certificates(found, awssim.truth(reachable=1))
        daemon.stop()

    # Removed: the programs are gone, data and configuration are not.
    fresh.run("apt-get", "remove", "-y", "-q", "acmsensor")
    for path in ("/usr/sbin/acmsensord", "/usr/bin/acmsensor", UNIT):
        assert not fresh.at(path).exists()
    for path in ("/var/lib/acmsensor/store.mdb", "/etc/acmsensor/acmsensor.conf",
                 "/etc/acmsensor/vault-key.sealed"):
        assert fresh.at(path).exists()
    user_id = fresh.user_id("acmsensor")
    assert user_id is not None
    fresh.install(next_deb)
    assert certificates(fresh, "--offline", "/var/lib/acmsensor") == found

    fresh.run("apt-get", "purge", "-y", "-q", "acmsensor")
    assert fresh.user_id("acmsensor") is None
    fresh.check_gone(user_id)
