"""The packages, made once, and roots to install them in. Everything lies in build/check-packages.

Takes root, because roots are made by debootstrap, entered and booted. What this host does not let us
do is skipped, and the reason is printed; nothing waits without a limit. KEEP=1 takes the packages
and the base root of the run before, for work on the tests themselves.
"""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from awssim import Awssim  # noqa: E402

from system import FOLDER, System, mirror  # noqa: E402

KEEP = os.environ.get("KEEP") == "1"
MAKE_S, DEBOOTSTRAP_S = 900, 900
needs = {"debootstrap": "roots", "dpkg-buildpackage": "Debian's package", "rpmbuild": "RPM"}


def pytest_collection_modifyitems(items):
    missing = [f"{tool} ({what})" for tool, what in needs.items() if shutil.which(tool) is None]
    reason = ("takes root" if os.geteuid() != 0 else
              f"not here: {', '.join(missing)}; sh packaging/deps.sh" if missing else None)
    for item in items:
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=reason))


def make(target, version, **environment):
    """A target of the Makefile, as somebody calls it; the unit tests have run elsewhere."""
    with open(FOLDER / f"{target}-{version}.log", "w") as log:
        code = subprocess.run(
            ["make", target, f"VERSION={version}"], cwd=ROOT, stdout=log, stderr=log,
            timeout=MAKE_S, env={**os.environ, "DEB_BUILD_OPTIONS": "nocheck",
                                 "RPMBUILD": "--without check", **environment}).returncode
    assert code == 0, pathlib.Path(log.name).read_text()[-4000:]


def version_of_makefile():
    for line in (ROOT / "Makefile").read_text().splitlines():
        if line.startswith("VERSION := "):
            return line.split()[2]
    raise AssertionError("no version in the Makefile")


@pytest.fixture(scope="session")
def folder():
    if not KEEP:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    return FOLDER


@pytest.fixture(scope="session")
def refusal():
    return System.refusal()


@pytest.fixture(scope="session")
def debootstrap(folder, refusal):
    """Begun first: it waits for the network while the packages are compiled."""
    if refusal is not None or KEEP and (folder / "base").exists():
        yield subprocess.Popen("true")
        return
    with open(folder / "debootstrap.log", "w") as log:
        process = subprocess.Popen(
            ["timeout", "--kill-after=10", str(DEBOOTSTRAP_S), "debootstrap", "--variant=minbase",
             "--include=systemd,systemd-sysv,dbus,ca-certificates", "bookworm",
             str(folder / "base"), mirror()], stdout=log, stderr=log)
    yield process
    process.terminate()
    process.wait()


@pytest.fixture(scope="session")
def version():
    return version_of_makefile()


@pytest.fixture(scope="session")
def next_version(version):
    major, minor, patch = version.split(".")
    return f"{major}.{minor}.{int(patch) + 1}"


def made(target, version, pattern):
    """The package that matches, made now."""
    if not KEEP or not list((ROOT / "build").glob(pattern)):
        make(target, version)
    found = list((ROOT / "build").glob(pattern))
    assert len(found) == 1, (pattern, found)
    return found[0]


@pytest.fixture(scope="session")
def deb(debootstrap, version):
    return made("deb", version, f"deb/acmsensor_{version}-1_*.deb")


@pytest.fixture(scope="session")
def next_deb(deb, next_version):
    return made("deb", next_version, f"deb/acmsensor_{next_version}-1_*.deb")


@pytest.fixture(scope="session")
def rpm(debootstrap, version):
    return made("rpm", version, f"rpm/acmsensor-{version}-1.*[!c].rpm")


@pytest.fixture(scope="session")
def base(debootstrap, folder, refusal):
    """A Debian 12 with systemd, never changed."""
    if refusal is not None:
        pytest.skip(f"this host lets no root be entered: {refusal}")
    code = debootstrap.wait()
    if code == 124:
        pytest.skip(f"debootstrap has not ended in {DEBOOTSTRAP_S} s")
    if code != 0:
        pytest.skip("debootstrap makes no root here: " +
                    (folder / "debootstrap.log").read_text()[-400:])
    system = System(folder / "base")
    system.slim()
    return system


@pytest.fixture
def fresh(base, request):
    """A copy of the base to change."""
    system = base.copy(request.node.name)
    yield system
    system.remove()


@pytest.fixture(scope="session")
def installed_base(base, deb):
    """With the package, by apt from the mirror."""
    system = base.copy("installed")
    system.install(deb)
    return system


@pytest.fixture
def installed(installed_base, request):
    system = installed_base.copy(request.node.name)
    yield system
    system.remove()


@pytest.fixture
def awssim(tmp_path):
    with Awssim(folder=tmp_path, accounts=4, regions="us-east-1,eu-west-1", certs_per_region=3,
                rate_scale=0, seed=42) as sim:
        yield sim
