"""The package under a real systemd, booted in a container of systemd-nspawn: a new administrator's
first hour (boot.sh), with the receivers of alerts and a Prometheus outside."""
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from bundle import Authority
from ports import free_port
from prometheus import Prometheus
from receivers import MailSink, Webhook, write_tls
from system import FOLDER, ROOT, System

HERE = pathlib.Path(__file__).parent
RULES = ROOT / "packaging" / "prometheus" / "acmsensor.rules.yml"
SERVICE = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=sh /check/boot.sh /check
[Install]
WantedBy=multi-user.target
"""
# What the administrator writes beside the connector. Each is told the worst only.
ALERTS = """[sensor]
metrics_listen = 127.0.0.1:{metrics}

[channel chat]
type = webhook
minimum = emergency
url_file = /etc/acmsensor/chat.url
ca_bundle = /etc/acmsensor/ca.pem

[channel oncall]
type = mail
minimum = emergency
server = localhost:{mail}
user = sensor
password_file = /etc/acmsensor/mail.password
ca_bundle = /etc/acmsensor/ca.pem
from = acmsensor@example.com
to = oncall@example.com

[channel people]
type = command
minimum = emergency
command = /usr/local/bin/tell-people
"""
# With pipes, a child of its own and the system's log; and it tries what it may not.
TELL_PEOPLE = """#!/bin/sh
set -eu
cat >>/var/lib/acmsensor/told.json
wrote=no
touch /etc/tell-people 2>/dev/null && wrote=yes
aws=no
env | grep -q AWS && aws=yes
logger -t tell-people "class=$ACMSENSOR_CLASS count=$ACMSENSOR_COUNT user=$(id -un) wrote=$wrote aws=$aws"
"""
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:{}:loadbalancer/app/web/0123456789abcdef"
BOOT_S, ALL_S = 60, 420


class Outside:
    """What the administrator has elsewhere: a chat, a mail server, a Prometheus."""

    def __init__(self, folder, authority):
        context, self.ca = write_tls(folder, authority, "localhost")
        self.chat, self.mail = Webhook(folder, context=context), MailSink(context)
        self.metrics = free_port()
        self.prometheus = Prometheus(folder / "prometheus", self.metrics, RULES)

    def write(self, etc):
        (etc / "conf.d" / "alerts.conf").write_text(
            ALERTS.format(metrics=self.metrics, mail=self.mail.port))
        shutil.copy(self.ca, etc / "ca.pem")
        shutil.copy(self.chat.url_file, etc / "chat.url")
        (etc / "mail.password").write_text("mail-SECRET\n")

    def scrape(self):
        """It sees the emergency, and the package's rule fires."""
        self.prometheus.wait_for('up{job="acmsensor"} == 1')
        self.prometheus.wait_for("acmsensor_alerts_acknowledged == 1")
        self.prometheus.wait_for('acmsensor_alert_channel_sent_timestamp_seconds{channel="chat"}')
        fired = self.prometheus.wait_for(
            'max_over_time(ALERTS{alertname="AcmsensorEmergency", alertstate="firing"}[5m])')
        assert fired[0][0]["class"] == "emergency"

    def stop(self):
        self.chat.stop()
        self.mail.stop()
        self.prometheus.stop()


@pytest.fixture
def outside(tmp_path, authority):
    made = Outside(tmp_path, authority)
    yield made
    made.stop()


@pytest.fixture
def authority():
    return Authority("ec256")


@pytest.fixture
def emergency(awssim, authority):
    """The ARN of a certificate that is in use, was imported and ends in five days."""
    order = authority.issue("www.example.com", days=(-1, 5)).order()
    arn = awssim.boto3("acm", region="us-east-1").import_certificate(**order)["CertificateArn"]
    awssim.bind(arn, in_use_by=BALANCER.format(awssim.ready["management_account_id"]))
    return arn


@pytest.fixture
def check(deb, next_deb, awssim, emergency, outside):
    """The folder that boot.sh works with."""
    check = FOLDER / "boot-check"
    shutil.rmtree(check, ignore_errors=True)
    System(check / "root").configure(awssim)
    (check / "root" / "etc" / "acmsensor").rename(check / "etc")
    outside.write(check / "etc")
    shutil.copy(deb, check / "acmsensor.deb")
    shutil.copy(next_deb, check / "new.deb")
    shutil.copy(HERE / "boot.sh", check / "boot.sh")
    (check / "tell-people").write_text(TELL_PEOPLE)
    (check / "arn").write_text(emergency)
    return check


def prepare(system):
    system.use_network()
    system.write("/etc/hosts", "127.0.0.1 localhost\n")
    system.write("/etc/systemd/system/check.service", SERVICE)
    wants = system.at("/etc/systemd/system/multi-user.target.wants/check.service")
    wants.parent.mkdir(parents=True, exist_ok=True)
    wants.symlink_to("../check.service")


def boot(system, check):
    command = ["systemd-nspawn", "--quiet", "--boot", "--register=no", f"--directory={system.path}",
               f"--bind={check}:/check", "--console=pipe"]
    if not os.path.isdir("/run/systemd/system"):
        command.append("--keep-unit")
    with open(check / "console", "wb") as console:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)


def attend(process, check, outside):
    """Until it is switched off, or the time is over; skips where systemd does not boot at all."""
    begin = time.monotonic()
    while process.poll() is None and time.monotonic() < begin + ALL_S:
        if not (check / "booted").exists() and time.monotonic() > begin + BOOT_S:
            break
        if (check / "scrape").exists() and not (check / "scraped").exists():
            outside.scrape()
            (check / "scraped").touch()
        time.sleep(0.1)
    if not (check / "booted").exists():
        said = (check / "console").read_text(errors="replace").strip()[-600:]
        pytest.skip("systemd does not boot here: " + (said or f"nothing was said in {BOOT_S} s"))


def end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def subjects(message):
    return {one["subject"]: one["class"] for one in message["alerts"]}


def test_first_hour_of_an_administrator(fresh, check, outside, emergency):
    if shutil.which("systemd-nspawn") is None:
        pytest.skip("systemd-nspawn is not here (package systemd-container)")
    prepare(fresh)
    for is_switched_off in (False, True):
        if is_switched_off and not (check / "switched-off").exists():
            break  # the log says why
        process = boot(fresh, check)
        try:
            attend(process, check, outside)
        finally:
            end(process)
    log = (check / "log").read_text(errors="replace")
    if (check / "unable").exists():
        pytest.skip("systemd boots here, but hardens no unit: " + log[-600:])
    assert "== all done\n" in log, log[-8000:]

    # Each was told once what is open, and once that it was tried; never again after restarts.
    told, tried = outside.chat.messages
    assert subjects(told)[emergency] == "emergency" and tried["test"] is True
    (envelope, mail), (_, tried) = outside.mail.mails
    assert envelope.rcpt_tos == ["oncall@example.com"] and emergency in mail.get_content()
    assert "test message of acmsensor" in tried["Subject"]
    assert outside.mail.logins == [("sensor", "mail-SECRET")] * 2
    user_id = int((check / "user").read_text())
    fresh.check_gone(user_id)
