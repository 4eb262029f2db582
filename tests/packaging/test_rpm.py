"""The RPM, built here with this host's libraries, in a root where RPM knows nothing yet."""
import re
import subprocess

from system import ROOT, RUN_S


def query(package, *options):
    return subprocess.run(["rpm", "-qp", *options, str(package)], capture_output=True, text=True,
                          check=True).stdout


def test_rpmlint_finds_nothing(rpm):
    packages = [str(one) for one in rpm.parent.glob("*.rpm")]
    assert len(packages) == 3  # source, programs, debuginfo
    done = subprocess.run(["rpmlint", "-c", str(ROOT / "packaging/rpm/rpmlint.toml"), *packages,
                           str(rpm.parent / "top/SPECS/acmsensor.spec")],
                          capture_output=True, text=True)
    assert done.returncode == 0 and not re.search(": [EW]: ", done.stdout), done.stdout


def test_debug_symbols_are_in_a_package_of_their_own(rpm, version):
    debug = next(rpm.parent.glob(f"acmsensor-debuginfo-{version}-*.rpm"))
    files = query(debug, "-l")
    assert re.search(r"/usr/lib/debug/usr/sbin/acmsensord.*\.debug", files), files
    assert re.search(r"/usr/lib/debug/usr/bin/acmsensor.*\.debug", files), files


def test_names_are_those_of_rhel_and_fedora(rpm):
    """What cannot be installed here, as Debian's packages have other names: by a list."""
    source = next(rpm.parent.glob("*.src.rpm"))
    wanted = set(query(source, "--requires").split("\n"))
    assert {"gcc", "make", "pkgconf-pkg-config", "jansson-devel", "libcurl-devel", "libevent-devel",
            "libxml2-devel", "lmdb-devel", "openssl-devel", "systemd-rpm-macros"} <= wanted


def test_life_in_a_root(fresh, rpm, version):
    # Fedora's and RHEL's policy; Debian's is to enable everything.
    fresh.write("/usr/lib/systemd/system-preset/99-default-disable.preset", "disable *\n")

    def run(*options, code=0):
        done = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c",
             'mount -t proc proc "$1/proc" && root=$1 && shift && exec rpm --root="$root" "$@"',
             "enter", str(fresh.path), *options], text=True, timeout=RUN_S,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == code, done.stdout
        return done.stdout

    run("--initdb")
    told = run("-i", "--nodeps", str(rpm))
    assert "acmsensor is installed and not started yet" in told
    assert "warning" not in told and "error" not in told, told
    assert run("-V", "--nodeps", "acmsensor") == ""
    assert fresh.owner("/etc/acmsensor") == ("root", "acmsensor", 0o750)
    assert fresh.owner("/var/lib/acmsensor") == ("acmsensor", "acmsensor", 0o700)
    assert fresh.owner("/run/acmsensor") == ("acmsensor", "acmsensor", 0o750)
    assert run("-qc", "acmsensor") == "/etc/acmsensor/acmsensor.conf\n"
    flags = run("-q", "--qf", "[%{FILENAMES} %{FILEFLAGS:fflags}\n]", "acmsensor")
    assert "/etc/acmsensor/acmsensor.conf cn\n" in flags
    assert not fresh.at("/etc/systemd/system/multi-user.target.wants/acmsensord.service").is_symlink()
    for path in ("/usr/lib/systemd/system/acmsensord.service", "/usr/lib/sysusers.d/acmsensor.conf",
                 "/usr/lib/tmpfiles.d/acmsensor.conf", "/usr/share/man/man8/acmsensord.8.gz",
                 "/usr/share/zsh/site-functions/_acmsensor"):
        assert fresh.at(path).exists(), path
    fresh.run("systemctl", "enable", "acmsensord.service")

    # Removed: what an administrator wrote and what the daemon stored stay, the unit is off.
    conf = fresh.at("/etc/acmsensor/acmsensor.conf")
    conf.write_text(conf.read_text() + "\n[sensor]\nlog_level = debug\n")
    fresh.write("/var/lib/acmsensor/store.mdb", "data")
    told = run("-e", "acmsensor")
    assert "acmsensor.conf.rpmsave" in told
    assert fresh.at("/etc/acmsensor/acmsensor.conf.rpmsave").exists()
    assert fresh.at("/var/lib/acmsensor/store.mdb").exists()
    assert not fresh.at("/usr/sbin/acmsensord").exists()
    assert not fresh.at("/etc/systemd/system/multi-user.target.wants/acmsensord.service").is_symlink()
