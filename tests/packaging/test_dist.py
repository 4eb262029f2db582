"""The source tarball. That it builds alone is shown by the packages, which are made of it."""
import re
import subprocess
import tarfile

from conftest import make, version_of_makefile
from system import ROOT


def tarball(version):
    make("dist", version)
    return ROOT / "build" / "dist" / f"acmsensor-{version}.tar.gz"


def test_same_sources_give_the_same_bytes(folder, version):
    first = tarball(version).read_bytes()
    tarball(version).unlink()
    assert tarball(version).read_bytes() == first


def test_it_holds_what_is_tracked_and_its_version(folder, next_version):
    path = tarball(next_version)
    name = f"acmsensor-{next_version}"
    with tarfile.open(path) as tar:
        files = {one.name.removeprefix(name + "/") for one in tar if not one.isdir()}
        makefile = tar.extractfile(f"{name}/Makefile").read().decode()
        assert all(one.uid == one.gid == 0 and one.name.startswith(name) for one in tar)
    path.unlink()
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode == 0:
        assert files == set(tracked.stdout.split("\n")) - {""}
    assert f"\nVERSION := {next_version}\n" in makefile


def test_version_is_written_in_the_makefile_only():
    found = subprocess.run(["git", "grep", "-lF", version_of_makefile(), "--", ":!tests"], cwd=ROOT,
                           text=True, stdout=subprocess.PIPE).stdout.split()
    assert found == ["Makefile"]
    assert not re.search(r"\d+\.\d+\.\d+", (ROOT / "packaging/deb/changelog.in").read_text())
