"""Alerts of a real daemon on real channels: what is told, once each, and what is not."""
import json
import os
import re

import pytest

import prometheus
from awssim import seconds_of
from cli import Cli
from desk import REGION
from fake_api import FakeApi
from receivers import MailSink, PATH, Webhook, write_tls
from torture import check_store
from waiting import wait_until

DAY = 86400
NEEDLES = [PATH, "SECRET"]


@pytest.fixture
def hook(tmp_path):
    made = []

    def make(**more):
        made.append(Webhook(tmp_path, **more))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def channel(name, **options):
    return f"[channel {name}]\n" + "".join(f"{k} = {v}\n" for k, v in options.items())


def webhook_channel(hook, name="ops", **options):
    return channel(name, type="webhook", url_file=hook.url_file, **options)


class Watched:
    """A desk with alerts, and what its daemon says about them."""

    def __init__(self, desk, channels, **more):
        self.desk = desk(skips_time=True, sensor_options=channels, **more)
        self.sensor, self.time = self.desk.sensor, self.desk.time
        self.sensor.wait_idle()  # a scan by hand would join the first cycle, which began before
        self.cli = Cli("--socket", self.sensor.socket)

    def skip(self, days):
        """And a cycle, so that the inventory is of then. The daemon sees both clocks, its own and
        AWS's, after that only: a cycle between the two would read what never was."""
        self.sensor.stop()
        self.time.skip(int(days * DAY))
        self.desk.start()
        self.scan()

    def wait_taken(self, number=0):
        """Until the daemon knows that its message was taken."""
        wait_until(lambda: self.sensor.status()["alerts"]["channels"][number]["sent"], 20, "taken")

    def scan(self):
        self.sensor.scan()

    def use(self, arn):
        account = self.desk.account
        balancer = f"arn:aws:elasticloadbalancing:{REGION}:{account}:loadbalancer/app/web/1"
        return self.desk.sim.bind(arn, in_use_by=balancer)

    def metric(self, name, **labels):
        return prometheus.scrape(self.sensor).sum(name, **labels)

    def alerts(self, **query):
        return {one["subject"]: one for one in self.sensor.get("/v1/alerts", **query)["alerts"]}

    def restart(self, kill=False):
        if kill:
            self.sensor.kill()
        else:
            self.sensor.stop()
        self.desk.start()

    def wait_looked(self, what):
        wait_until(what, 30, "the look")

    def expect_no_secret(self, *more):
        texts = [self.sensor.log_text(), json.dumps(self.sensor.get("/v1/config")),
                 json.dumps(self.sensor.status()), json.dumps(self.sensor.events()), *more]
        for needle in NEEDLES:
            assert not any(needle in text for text in texts), needle


def told(message):
    return sorted((one["subject"], one["class"], one["threshold_days"], one["state"])
                  for one in message["alerts"])


def test_each_threshold_is_told_once_and_the_worst_after_an_outage(desk, ec, hook):
    receiver = hook()
    at = Watched(desk, webhook_channel(receiver, minimum="notice", resolved="yes"))
    idle = at.desk.held(ec.issue("idle.example.com", days=(-1, 60)))
    used = at.desk.held(ec.issue("www.example.com", days=(-1, 60), number=1))
    late = at.desk.held(ec.issue("late.example.com", days=(-1, 300), number=2))
    at.use(used)
    at.scan()
    receiver.quiet(0)
    at.skip(15.5)
    message = receiver.wait(1)
    assert told(message) == sorted([(idle, "notice", 45, "open"), (used, "emergency", 45, "open")])
    assert message["alerts"][0]["subject"] == used  # the worst first
    assert message["count"] == 2 and message["counts"]["emergency"] == 1
    assert message["alerts"][0]["domain_name"] == "www.example.com"
    assert "AWS does not renew it: it was imported" in message["alerts"][0]["text"]
    assert message["alerts"][0]["days_left"] == 44
    at.wait_taken()
    assert at.metric("acmsensor_alerts", **{"class": "emergency"}) == 1
    assert at.metric("acmsensor_alerts", **{"class": "notice"}) == 1
    assert at.metric("acmsensor_alerts_acknowledged") == 0
    assert at.metric("acmsensor_alert_channel_failing", channel="ops") == 0
    sent_s = seconds_of(at.sensor.status()["alerts"]["channels"][0]["sent"])
    assert at.metric("acmsensor_alert_channel_sent_timestamp_seconds", channel="ops") == sent_s
    # Nothing again: not after a restart, not after a kill, not a day later.
    at.restart()
    at.scan()
    at.restart(kill=True)
    at.skip(1)
    receiver.quiet(1)
    # Thirty, fourteen and seven days have passed while it was down.
    at.skip(38)
    message = receiver.wait(2)
    assert told(message) == sorted([(idle, "warning", 7, "open"), (used, "emergency", 7, "open")])
    receiver.quiet(2)
    # One is acknowledged, and told again when it is worse.
    alert = at.alerts()[used]
    assert "acknowledged " + alert["id"] in at.cli.out("alerts", "ack", used, "--note", "ordered")
    alert = at.alerts()[used]
    assert (alert["state"], alert["note"]) == ("acknowledged", "ordered")
    assert alert["acknowledged_by"] == f"uid {os.getuid()}"
    wait_until(lambda: at.metric("acmsensor_alerts_acknowledged") == 1, 30, "the look")
    assert at.metric("acmsensor_alerts", **{"class": "emergency"}) == 0
    shown = at.cli.out("alerts", columns=200)
    assert shown.index("idle.example.com") < shown.index("www.example.com")
    assert "late.example.com" not in shown
    at.skip(3)
    message = receiver.wait(3)
    assert told(message) == sorted([(idle, "warning", 3, "open"), (used, "emergency", 3, "open")])
    assert late not in at.alerts()
    at.expect_no_secret()
    at.sensor.stop()
    check_store(at.sensor.data_dir)


def test_a_newer_twin_silences_what_nothing_uses(desk, ec, hook):
    receiver = hook()
    at = Watched(desk, webhook_channel(receiver, minimum="notice", resolved="yes"))
    idle = at.desk.held(ec.issue("idle.example.com", days=(-1, 20)))
    used = at.desk.held(ec.issue("www.example.com", days=(-1, 20), number=1))
    bound = at.use(used)
    at.scan()
    assert message_subjects(receiver.wait(1)) == {idle, used}
    twin = at.desk.held(ec.issue("IDLE.example.com", days=(-1, 200), number=2))
    newer = at.desk.held(ec.issue("www.example.com", days=(-1, 200), number=3))
    at.scan()
    message = receiver.wait(2)
    assert told(message) == [(idle, "notice", 30, "resolved")]
    assert message["alerts"][0]["text"] == f"replaced by {twin}"
    open_alerts = at.alerts()
    assert set(open_alerts) == {used}
    assert f"a newer one with the same names is there: {newer}" in open_alerts[used]["text"]
    assert at.alerts(all=1)[idle]["state"] == "resolved"
    # What is gone is over.
    at.desk.sim.unbind(bound["id"])
    at.desk.acm.delete_certificate(CertificateArn=used)
    at.scan()
    at.wait_looked(lambda: used not in at.alerts())
    assert at.alerts(all=1)[used]["resolution"] == "the certificate is gone"


def message_subjects(message):
    return {one["subject"] for one in message["alerts"]}


def test_hundreds_that_end_together_are_one_message(awssim, desk, hook):
    receiver = hook()
    slack, teams = hook(), hook()
    at = Watched(desk, webhook_channel(receiver, minimum="notice") +
                 webhook_channel(slack, "slack", shape="slack", minimum="notice") +
                 webhook_channel(teams, "teams", shape="teams", minimum="notice"),
                 flags={"accounts": 1, "certs_per_region": 600})
    at.skip(400)
    message = receiver.wait(1)
    assert message["count"] > 100 and len(message["alerts"]) == 20
    assert message["count"] == len(at.alerts())
    text = slack.wait(1)["text"]
    assert f"{message['count']} " in text and f"and {message['count'] - 20} more" in text
    card = teams.wait(1)["attachments"][0]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert len(card["content"]["body"]) == 22
    for one in (receiver, slack, teams):
        one.quiet(1, 1)
    # Pending and failed ones have no end, so they are not about to end.
    certificates = at.sensor.certificates()
    assert all(certificates[arn]["not_after"] for arn in at.alerts())
    attention = at.sensor.status()["attention"]
    assert any("alerts are open" in one["text"] for one in attention), attention


@pytest.mark.parametrize("first", [[500], ["garbage"], ["close"], [404], [429], ["stall"]])
def test_a_receiver_that_fails_gets_it_later_once(desk, ec, hook, first):
    receiver = hook(answers=first + [200])
    at = Watched(desk, webhook_channel(receiver, minimum="notice", timeout="2s"))
    arn = at.desk.held(ec.issue("idle.example.com", days=(-1, 20)))
    at.scan()
    wait_until(lambda: at.sensor.status()["alerts"]["channels"][0]["failing_since"], 40, "failing")
    assert at.metric("acmsensor_alert_channel_failing", channel="ops") == 1
    state = at.sensor.status()["alerts"]["channels"][0]
    assert state["error"].startswith("webhook: ")
    texts = [one["text"] for one in at.sensor.status()["attention"]]
    assert any("alerts cannot be told on channel ops" in text for text in texts), texts
    # A restart in the middle forgets nothing.
    at.restart(kill=True)
    at.time.skip(20)
    assert message_subjects(receiver.wait(1)) == {arn}
    receiver.quiet(1)
    wait_until(lambda: not at.sensor.status()["alerts"]["channels"][0]["failing_since"], 20, "mend")
    at.expect_no_secret()


def test_mail_goes_over_starttls_and_only_to_who_proves_who_it_is(desk, ec, tmp_path):
    context, ca = write_tls(tmp_path, ec, "localhost")
    sink = MailSink(context)
    (tmp_path / "password").write_text("mail-SECRET\n")
    (tmp_path / "password").chmod(0o600)
    mail = dict(type="mail", server=f"localhost:{sink.port}", user="sensor", minimum="notice",
                password_file=tmp_path / "password", to="ops@example.com, boss@example.com",
                **{"from": "acmsensor@example.com"})
    try:
        at = Watched(desk, channel("post", ca_bundle=ca, **mail) + channel("blind", **mail))
        arn = at.desk.held(ec.issue("idle.example.com", days=(-1, 20)))
        at.scan()
        envelope, message = sink.wait(1)
        assert envelope.mail_from == "acmsensor@example.com"
        assert sorted(envelope.rcpt_tos) == ["boss@example.com", "ops@example.com"]
        # "open" when the first cycle was over before the first look
        assert re.fullmatch(r"\[acmsensor\] 1 (open )?alert \(1 notice\) on e2e", message["Subject"])
        assert message["Message-ID"].startswith("<post-") and message["Date"]
        body = message.get_content()
        assert "idle.example.com ends" in body and arn in body
        assert "sent on post: taken over by the mail server" in at.cli.out("alerts", "test", "post")
        assert "test message of acmsensor on e2e" in sink.wait(2)[1]["Subject"]
        # Whose certificate is not trusted gets nothing, not even the password.
        failed = at.cli.run("alerts", "test", "blind", code=1)
        assert "no TLS connection" in failed.stderr
        assert len(sink.logins) == 2
        at.expect_no_secret(failed.stderr)
    finally:
        sink.stop()


def test_a_command_gets_json_and_nothing_else(desk, ec, tmp_path):
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ncat >> {tmp_path}/got\nenv > {tmp_path}/env\n"
                    f"echo $# > {tmp_path}/arguments\n")
    hook.chmod(0o755)
    slow = tmp_path / "slow.sh"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    at = Watched(desk, channel("hook", type="command", command=hook, minimum="notice") +
                 channel("slow", type="command", command=slow, timeout="1s") +
                 channel("none", type="command", command="/nonexistent"))
    arn = at.desk.held(ec.issue("idle.example.com", days=(-1, 20)))
    at.scan()
    wait_until(lambda: (tmp_path / "arguments").exists(), 30, "the hook")
    wait_until(lambda: (tmp_path / "arguments").read_text(), 5, "the hook's end")
    assert message_subjects(json.loads((tmp_path / "got").read_text())) == {arn}
    environment = (tmp_path / "env").read_text()
    assert "AWS" not in environment and "ACMSENSOR_CLASS=notice" in environment
    assert (tmp_path / "arguments").read_text() == "0\n"
    assert "sent on hook: exit code 0" in at.cli.out("alerts", "test", "hook")
    assert "was killed" in at.cli.run("alerts", "test", "slow", code=1).stderr
    assert "cannot be run" in at.cli.run("alerts", "test", "none", code=1).stderr
    assert "there is no channel other" in at.cli.run("alerts", "test", "other", code=1).stderr


def test_without_a_channel_they_go_to_the_log(desk, ec):
    at = Watched(desk, "")
    arn = at.desk.held(ec.issue("www.example.com", days=(-1, 20)))
    at.use(arn)
    at.desk.held(ec.issue("idle.example.com", days=(-1, 20), number=1))
    at.scan()
    wait_until(lambda: f'subject="{arn}"' in at.sensor.log_text(), 30, "the line")
    line = [one for one in at.sensor.log_text().splitlines() if " alert certificate " in one]
    assert len(line) == 1 and " error " in line[0] and "class=emergency" in line[0]
    assert "sent on journal: written" in at.cli.out("alerts", "test", "journal")


def test_the_support_bundle_tells_alerts_and_channels_and_no_secret(desk, ec, hook, tmp_path):
    takes, broken = hook(), hook(answers=[404])
    (tmp_path / "password").write_text("mail-SECRET\n")
    at = Watched(desk, webhook_channel(takes, minimum="notice") +
                 webhook_channel(broken, "broken", minimum="notice") +
                 channel("post", type="mail", server="localhost:1", user="sensor", timeout="2s",
                         password_file=tmp_path / "password", minimum="notice", to="ops@example.com",
                         **{"from": "acmsensor@example.com"}))
    arn = at.desk.held(ec.issue("idle.example.com", days=(-1, 20)))
    at.scan()
    takes.wait(1)
    wait_until(lambda: all(one["failing_since"] for one in
                           at.sensor.status()["alerts"]["channels"][1:]), 40, "both fail")
    at.wait_taken()
    file = tmp_path / "support.txt"
    at.cli.run("support-bundle", file)
    text = file.read_text()
    for part in ("\nAlerts\n", "Channel ops", "webhook, last message", "Channel broken",
                 "the receiver answered HTTP 404", "Channel post", "mail, failing since",
                 "\n=== alerts\n", "idle.example.com", str(takes.url_file)):
        assert part in text, part
    assert arn in text.split("=== alerts\n")[1].split("\n=== ")[0]
    at.expect_no_secret(text)


def test_accounts_and_connectors_that_are_lost(desk, ec, hook):
    receiver = hook()
    at = Watched(desk, "alert_coverage_after = 0s\n" + webhook_channel(receiver, resolved="yes"),
                 flags={"accounts": 3})
    at.scan()
    lost = [one for one in at.desk.accounts if one != at.desk.account][0]
    at.desk.sim.mutate("break_role", account=lost)
    at.skip(0.1)
    message = receiver.wait(1)
    assert told(message) == [(f"prod {lost}", "warning", None, "open")]
    assert "cannot be read any more: role_unassumable" in message["alerts"][0]["text"]
    at.desk.sim.mutate("restore_role", account=lost)
    at.skip(0.1)
    assert told(receiver.wait(2)) == [(f"prod {lost}", "warning", None, "resolved")]


@pytest.mark.parametrize("alerts, says", [
    ({"looked": False, "error": None}, "there is no alert yet: the daemon looks when its first cycle"),
    ({"looked": True, "error": "store: full"}, "no alert, but the last look failed: store: full"),
    ({"looked": True, "error": None}, "there is no alert\n")])
def test_no_alert_is_not_said_before_anybody_has_looked(tmp_path, alerts, says):
    status = {"schema": 1, "status": {"alerts": alerts}}
    with FakeApi(tmp_path / "socket", {("GET", "/v1/alerts"): b"",
                                       ("GET", "/v1/status"): json.dumps(status).encode()}):
        assert says in Cli("--socket", tmp_path / "socket").run("alerts").stderr


def test_what_cannot_be_is_refused(desk, sensor):
    at = Watched(desk, "")
    for arguments, says in [
            (["alerts", "nonsense"], "expected nothing, ack ALERT or test CHANNEL"),
            (["alerts", "ack"], "expected an alert's id"),
            (["alerts", "test"], "expected a channel's name"),
            (["alerts", "--note", "x"], "--note goes with alerts ack"),
            (["alerts", "test", "x", "--all"], "go with the list"),
            (["alerts", "--class", "loud"], "notice, warning, critical or emergency"),
            (["alerts", "--kind", "loud"], "certificate, coverage, connector, job or identity")]:
        assert says in at.cli.run(*arguments, code=2).stderr
    assert "there is no alert nothing" in at.cli.run("alerts", "ack", "nothing", code=1).stderr
    assert "there is no alert" in at.cli.run("alerts").stderr
    for verb, says in [("ack", "expected an alert's id"), ("test", "expected a channel's name")]:
        assert says in at.cli.run("alerts", verb, "", code=2).stderr
    long = at.cli.run("alerts", "ack", "x", "--note", "n" * 257, code=2).stderr
    assert "--note: longer than 256 bytes" in long
    status, text = at.sensor.request("POST", "/v1/alerts/ack", body='{"alert": "x", "more": 1}')
    assert status == 400 and "expected alert and perhaps note" in text
    status, text = at.sensor.request("GET", "/v1/alerts/test")
    assert status == 405
