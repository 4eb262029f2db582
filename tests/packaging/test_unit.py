"""The unit file: hardened, and every relaxation explained."""
import re
import subprocess

import pytest

from system import ROOT

UNIT = ROOT / "packaging" / "common" / "acmsensord.service"
# What is not switched off, and the words in the file that say why.
RELAXED = {
    "RootDirectory=/RootImage=": "no RootDirectory=",
    "PrivateNetwork=": "not PrivateNetwork=yes",
    "PrivateUsers=": "not PrivateUsers=yes",
    "IPAddressDeny=": "Not IPAddressDeny=any",
    "RestrictAddressFamilies=~AF_(INET|INET6)": "IPv4 and IPv6: AWS is elsewhere",
    "RestrictAddressFamilies=~AF_UNIX": "AF_UNIX is the control socket",
    "DeviceAllow=": "DevicePolicy=closed",
}


@pytest.fixture(scope="module")
def security():
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)],
                          capture_output=True, text=True)
    return done.stdout


def test_exposure_is_at_most_1_2(security):
    exposure = re.search(r"Overall exposure level for acmsensord.service: ([\d.]+)", security)
    assert float(exposure[1]) <= 1.2, security


def test_each_relaxation_is_explained(security):
    found = re.findall(r"^✗ (\S+)", security, re.M)
    assert set(found) <= set(RELAXED), security
    text = re.sub(r"\n# ", " ", UNIT.read_text())
    for name in found:
        assert RELAXED[name] in text, name

