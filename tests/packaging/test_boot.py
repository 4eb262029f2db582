"""The package under a real systemd, booted in a container of systemd-nspawn."""
import os
import pathlib
import shutil
import subprocess

import pytest

from system import FOLDER

HERE = pathlib.Path(__file__).parent
SERVICE = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=sh /check/boot.sh /check
[Install]
WantedBy=multi-user.target
"""
BOOT_S, ALL_S = 60, 240


def boot(system, check):
    command = ["systemd-nspawn", "--quiet", "--boot", "--register=no", f"--directory={system.path}",
               f"--bind={check}:/check", "--console=pipe"]
    if not os.path.isdir("/run/systemd/system"):
        command.append("--keep-unit")
    with open(check / "console", "wb") as console:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)


def test_package_under_systemd(installed, next_deb, awssim):
    if shutil.which("systemd-nspawn") is None:
        pytest.skip("systemd-nspawn is not here (package systemd-container)")
    check = FOLDER / "boot-check"
    shutil.rmtree(check, ignore_errors=True)
    check.mkdir()
    shutil.copy(next_deb, check / "new.deb")
    shutil.copy(HERE / "boot.sh", check / "boot.sh")
    installed.configure(awssim)
    installed.write("/etc/systemd/system/check.service", SERVICE)
    wants = installed.at("/etc/systemd/system/multi-user.target.wants/check.service")
    wants.parent.mkdir(parents=True, exist_ok=True)
    wants.symlink_to("../check.service")
    process = boot(installed, check)
    try:
        try:
            process.wait(BOOT_S)
        except subprocess.TimeoutExpired:
            if not (check / "booted").exists():
                pytest.skip("systemd does not boot here: " +
                            (check / "console").read_text(errors="replace")[-600:])
            process.wait(ALL_S - BOOT_S)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    if not (check / "booted").exists():
        pytest.skip("systemd does not boot here: " +
                    (check / "console").read_text(errors="replace")[-600:])
    log = (check / "log").read_text(errors="replace")
    assert "== all done\n" in log, log[-8000:]
