"""Metrics of the real daemon: each moves when it should; others read them: prometheus_client's strict parser, promtool,
and a real Prometheus with the package's rules; the dashboard asks for nothing that is not there."""
import datetime
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from awssim import SIM_BUILD
from bundle import SERVER, Authority
from cli import Cli
from desk import Desk
from ports import free_port
from prometheus import (CLASSIC, OPENMETRICS, ROOT, Metrics, Prometheus, ask, promtool, scrape,
                        wait_until)

RULES = ROOT / "packaging" / "prometheus" / "acmsensor.rules.yml"
DASHBOARD = ROOT / "packaging" / "grafana" / "acmsensor.json"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:{}:loadbalancer/app/x/0123456789abcdef"
SMALL = {"accounts": 4, "certs_per_region": 3, "regions": "us-east-1,eu-west-1"}
LIFE = "acmsensor_certificate_remaining_seconds"


def in_seconds(**delta):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**delta)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def listening(sensor, sim, **more):
    port = free_port()
    daemon = sensor(sim, sensor_options=f"metrics_listen = 127.0.0.1:{port}", **more)
    daemon.start()
    return daemon, port


# --- that each moves


def test_cycles_coverage_certificates_and_calls(awssim, sensor):
    sim = awssim(seed=11, no_role=1, **SMALL)
    daemon = sensor(sim)
    daemon.start()
    first = scrape(daemon)
    assert first.sum("acmsensor_build_info", version=subprocess.run(
        daemon.command("--version"), capture_output=True, text=True).stdout.split()[1]) == 1
    daemon.wait_idle()
    one = wait_until(daemon, lambda m: m.sum("acmsensor_account_regions", state="ok") > 0)
    truth = sim.truth(reachable=1)
    assert one.sum("acmsensor_cycles_total", kind="cycle", result="incomplete", connector="prod") == 1
    states = [c["state"] for a in truth["accounts"] for c in a["coverage"]]
    assert one.sum("acmsensor_account_regions") == len(states)
    for state in set(states):
        assert one.sum("acmsensor_account_regions", state=state) == states.count(state), state
    assert one.sum("acmsensor_certificates") == len(truth["certificates"])
    issued = [c for c in truth["certificates"] if c["status"] == "ISSUED"]
    assert 0 < one.sum("acmsensor_certificates", status="issued") <= len(issued)
    assert one.sum("acmsensor_certificates_in_use") == sum(c["in_use"] for c in truth["certificates"])
    with_end = [c for c in truth["certificates"] if c["not_after"]]
    assert one.sum(LIFE + "_gcount") == len(with_end)
    # What AWS counted is what we counted.
    operations = sim.stats()["operations"]
    for name, seen in operations.items():
        operation = name.split(":")[-1].split(".")[-1]
        assert one.sum("acmsensor_aws_requests_total", operation=operation) >= seen["requests"], name
    assert one.sum("acmsensor_aws_calls_total", service="acm", operation="ListCertificates") > 0
    assert one.sum("acmsensor_aws_call_failures_total", service="sts", operation="AssumeRole") >= 1
    for sample in one.matching("acmsensor_aws_request_duration_seconds_count"):
        assert sample.value > 0, sample
    assert one.sum("acmsensor_aws_request_duration_seconds_sum") > 0
    assert one.sum("acmsensor_http_connections_opened_total") > 0
    assert one.sum("acmsensor_http_received_bytes_total") > one.sum("acmsensor_aws_requests_total")
    assert one.sum("acmsensor_http_sent_bytes_total") > 0
    assert one.sum("acmsensor_cycle_running") == 0 and one.sum("acmsensor_cycle_failing") == 0
    assert abs(one.sum("acmsensor_cycle_start_timestamp_seconds") - time.time()) < 100
    assert one.sum("acmsensor_cycle_duration_seconds") >= 0
    assert not one.matching("acmsensor_cycle_complete_timestamp_seconds")
    assert one.sum("acmsensor_cycle_next_timestamp_seconds") > time.time()
    assert one.sum("acmsensor_cycle_interval_seconds") == 3600
    # The next one finds everything, by hand.
    sim.mutate("remove", count=2)
    broken = {a["account_id"] for a in truth["accounts"] for c in a["coverage"] if c["state"] == "role_unassumable"}
    for account in broken:
        sim.mutate("restore_role", account=account)
    daemon.scan()
    two = wait_until(daemon, lambda m: m.sum("acmsensor_certificates_gone") == 2)
    assert two.sum("acmsensor_cycles_total", kind="asked", result="complete") == 1
    assert two.sum("acmsensor_cycle_complete_timestamp_seconds") > time.time() - 100
    assert two.sum("acmsensor_account_regions", state="role_unassumable") == 0
    for name in ("acmsensor_events_total", "acmsensor_store_writes_total", "acmsensor_store_commits_total",
                 "acmsensor_store_commit_seconds_total", "acmsensor_loop_turns_total", "process_cpu_seconds_total",
                 "acmsensor_loop_busy_seconds_total", "acmsensor_last_event_timestamp_seconds"):
        assert two.sum(name) > first.sum(name) or name.startswith("acmsensor_last"), name
    for name in ("acmsensor_store_file_bytes", "acmsensor_store_used_bytes", "acmsensor_store_map_bytes",
                 "acmsensor_store_disk_free_bytes", "acmsensor_store_disk_bytes", "process_start_time_seconds",
                 "process_resident_memory_bytes", "acmsensor_loop_longest_stall_seconds",
                 "acmsensor_store_longest_commit_seconds"):
        assert two.sum(name) > 0, name
    assert two.sum("acmsensor_store_used_bytes") <= two.sum("acmsensor_store_file_bytes")
    assert two.sum("acmsensor_events_total") == daemon.status()["store"]["events"]


def test_throttles_retries_and_a_failed_cycle(awssim, sensor):
    sim = awssim(seed=12, **SMALL)
    sim.faults({"kind": "throttle", "service": "acm", "operation": "ListCertificates", "probability": 1, "count": 3})
    daemon = sensor(sim)
    daemon.start()
    daemon.wait_idle()
    metrics = scrape(daemon)
    assert metrics.sum("acmsensor_aws_throttles_total", operation="ListCertificates") == 3
    assert metrics.sum("acmsensor_aws_retries_total", operation="ListCertificates") == 3
    assert metrics.sum("acmsensor_aws_throttles_total") == 3
    sim.faults({"kind": "error", "service": "organizations", "operation": "ListRoots", "probability": 1,
                "code": "AccessDeniedException", "status": 400, "message": "no"})
    assert daemon.scan()["result"] == "failed"
    metrics = wait_until(daemon, lambda m: m.sum("acmsensor_cycle_failing") == 1)
    assert metrics.sum("acmsensor_cycles_total", kind="asked", result="failed") == 1


def test_requests_are_seen_while_a_cycle_runs(awssim, sensor):
    sim = awssim(seed=13, **SMALL)
    sim.faults(latency_ms=400)
    daemon = sensor(sim)
    daemon.start()
    busy = wait_until(daemon, lambda m: m.sum("acmsensor_http_requests_in_flight") > 0)
    assert busy.sum("acmsensor_cycle_running") == 1
    assert not busy.matching("acmsensor_cycle_duration_seconds")
    daemon.configure({"prod": {}}, "max_requests = 1")
    daemon.stop()
    daemon.start()
    wait_until(daemon, lambda m: m.sum("acmsensor_http_requests_queued") > 0)


def test_credentials_that_end_and_that_fail(awssim, sensor):
    sim = awssim(seed=14, **SMALL)
    daemon = sensor(sim)
    daemon.start(AWS_CREDENTIAL_EXPIRATION=in_seconds(hours=2))
    daemon.wait_idle()
    metrics = scrape(daemon)
    assert 7000 < metrics.sum("acmsensor_credentials_remaining_seconds", connector="prod") <= 7200
    assert metrics.sum("acmsensor_credentials_failing") == 0
    time.sleep(1.1)
    assert scrape(daemon).sum("acmsensor_credentials_remaining_seconds") < \
        metrics.sum("acmsensor_credentials_remaining_seconds")
    daemon.stop()
    daemon.start(AWS_SECRET_ACCESS_KEY="")
    daemon.scan()
    wait_until(daemon, lambda m: m.sum("acmsensor_credentials_failing") == 1)
    assert not scrape(daemon).matching("acmsensor_credentials_remaining_seconds")


def test_writes_that_wait_and_that_fail(awssim, sensor):
    sim = awssim(seed=27, **SMALL)
    daemon = sensor(sim, build=SIM_BUILD)
    daemon.start(LD_PRELOAD=str(SIM_BUILD / "die_at_write.so"), ACMSENSOR_SYNC_MS="2000")
    metrics = wait_until(daemon, lambda m: m.sum("acmsensor_event_lag_seconds") > 0.5)
    assert metrics.sum("acmsensor_store_waiting_writes") > 0
    daemon.kill()
    daemon = sensor(sim)
    daemon.start()
    daemon.wait_idle()
    metrics = wait_until(daemon, lambda m: m.sum("acmsensor_store_waiting_writes") == 0)
    assert metrics.sum("acmsensor_event_lag_seconds") == 0
    assert metrics.sum("acmsensor_store_write_failures_total") == 0
    limit = ["prlimit", "--pid", str(daemon.process.pid)]
    size = (daemon.data_dir / "store.mdb").stat().st_size
    subprocess.run([*limit, f"--fsize={size}:unlimited"], check=True)
    sim.mutate("add", count=80)
    daemon.scan()
    wait_until(daemon, lambda m: m.sum("acmsensor_store_write_failures_total") > 0)
    subprocess.run([*limit, "--fsize=unlimited"], check=True)


def test_the_clock_offset(awssim, sensor):
    sim = awssim(seed=15, **SMALL)
    sim.clock(offset_s=1200)
    daemon = sensor(sim)
    daemon.start()
    daemon.wait_idle()
    assert abs(scrape(daemon).sum("acmsensor_clock_offset_seconds") - 1200) < 10


def test_jobs_by_outcome_and_what_they_change(awssim, sensor):
    sim = awssim(accounts=2, certs_per_region=0, regions="us-east-1", rate_scale=0)
    daemon = sensor(sim, connectors={"prod": {"import": "all", "interval": "24h"}})
    daemon.start()
    desk, ec = Desk(sim, daemon), Authority("ec256")

    def jobs(kind, outcome):
        return scrape(daemon).sum("acmsensor_delivery_jobs_total", kind=kind, outcome=outcome)

    assert jobs("deliver", "succeeded") == 0
    _, job = desk.deliver(ec.issue("a.example.com", ext_key_usage=[SERVER], days=(-1, 10)))
    assert jobs("deliver", "succeeded") == 1
    _, second = desk.deliver(ec.issue("a.example.com", ext_key_usage=[SERVER], number=1), arn=job["arn"])
    assert jobs("deliver", "succeeded") == 2 and jobs("rollback", "restored") == 0
    back = desk.wait(desk.post("/v1/rollback", job=second["id"])["job"]["id"])
    assert back["state"] == "restored" and jobs("rollback", "restored") == 1
    # One that waits, and is cancelled: until then it runs.
    sim.bind(job["arn"], names=["a.example.com"], in_use_by=BALANCER.format(desk.account))
    running = desk.post("/v1/delete", arn=job["arn"], wait=True)["job"]["id"]
    wait_until(daemon, lambda m: m.sum("acmsensor_delivery_jobs_running") == 1)
    desk.post("/v1/cancel", job=running)
    desk.wait(running)
    assert jobs("delete", "cancelled") == 1
    wait_until(daemon, lambda m: m.sum("acmsensor_delivery_jobs_running") == 0)
    # What was delivered ends in ten days and is in use: the inventory tells, and the metrics.
    daemon.scan()
    metrics = wait_until(daemon, lambda m: m.sum(LIFE + "_gcount", in_use="yes", renews="no") == 1)
    assert metrics.sum(LIFE + "_bucket", in_use="yes", le="604800.0") == 0
    assert metrics.sum(LIFE + "_bucket", in_use="yes", le="1.2096e+06") == 1
    assert 9 * 86400 < metrics.sum(LIFE + "_gsum", in_use="yes") < 10 * 86400
    assert metrics.sum("acmsensor_certificates_imported") == 1


def test_certificates_without_details(awssim, sensor):
    sim = awssim(seed=16, **SMALL)
    sim.faults({"kind": "error", "service": "acm", "operation": "DescribeCertificate", "probability": 1, "count": 2,
                "code": "AccessDeniedException", "status": 400, "message": "no"})
    daemon = sensor(sim)
    daemon.start()
    daemon.wait_idle()
    wait_until(daemon, lambda m: m.sum("acmsensor_certificates_without_details") == 2)


def test_stalls_of_the_loop(awssim, sensor):
    """A daemon that is stopped in the middle of a turn has stood still. It is, sooner or later: it is busy."""
    daemon = sensor(awssim(seed=17, accounts=30, certs_per_region=20, regions="us-east-1,eu-west-1"))
    daemon.start()
    end = time.monotonic() + 60
    while scrape(daemon).sum("acmsensor_loop_stalls_total") == 0:
        assert time.monotonic() < end
        if scrape(daemon).sum("acmsensor_cycle_running") == 0:
            daemon.ask()
        for _ in range(5):
            daemon.signal(signal.SIGSTOP)
            time.sleep(0.12)
            daemon.signal(signal.SIGCONT)
            time.sleep(0.01)
    assert scrape(daemon).sum("acmsensor_loop_longest_stall_seconds") > 0.1


# --- over TCP


def test_the_listener_knows_metrics_and_nothing_else(awssim, sensor):
    daemon, port = listening(sensor, awssim(seed=18, **SMALL))
    daemon.wait_idle()
    status, headers, text = ask(port)
    assert (status, headers["Content-Type"]) == (200, OPENMETRICS)
    assert Metrics(text).names() == scrape(daemon).names()
    status, headers, empty = ask(port, "HEAD")
    assert (status, empty) == (200, "") and int(headers["Content-Length"]) > 10000
    status, headers, classic = ask(port, headers={"Accept": "text/plain;version=0.0.4"})
    assert (status, headers["Content-Type"]) == (200, CLASSIC)
    checked = promtool("check", "metrics", text=classic)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    for method, path, wanted in [("POST", "/metrics", 405), ("GET", "/v1/status", 404), ("GET", "/", 404),
                                 ("POST", "/v1/scan", 404), ("GET", "/v1/certificates", 404)]:
        status, headers, text = ask(port, method, path, body=b"{}" if method == "POST" else None)
        assert status == wanted and text.count("\n") == 1, (method, path)
    assert ask(port, "POST", body=b"x")[1]["Allow"] == "GET, HEAD"
    status, text = daemon.request("POST", "/metrics")
    assert status == 405 and "expected GET" in text
    status, empty = daemon.request("HEAD", "/metrics")
    assert (status, empty) == (200, "")


def test_many_connections_leave_the_daemon_alone(awssim, sensor):
    daemon, port = listening(sensor, awssim(seed=19, **SMALL))
    descriptors = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    for one in idle[:50]:
        one.send(b"GET /metrics HTTP/1.1\r\n")
    daemon.wait_idle()
    daemon.scan()
    assert len(os.listdir(f"/proc/{daemon.process.pid}/fd")) < descriptors + 60
    for one in idle:
        one.close()
    assert ask(port)[0] == 200


def test_nothing_tells_accounts_names_or_secrets(awssim, sensor):
    sim = awssim(seed=20, no_role=1, acm_denied=1, **SMALL)
    daemon, port = listening(sensor, sim)
    daemon.wait_idle()
    wait_until(daemon, lambda metrics: "acmsensor_alerts" in metrics.names())
    text = ask(port)[2]
    truth = sim.truth()
    for account in truth["accounts"]:
        assert account["account_id"] not in text
    for one in truth["certificates"]:
        assert one["domain_name"] not in text and one["arn"] not in text
    for secret in filter(None, [*sim.base_keys(), sim.ready["role_name"], sim.ready["external_id"]]):
        assert secret not in text
    assert "us-east-1" not in text and "eu-west-1" not in text
    names = {label for sample in Metrics(text).samples for label in sample.labels}
    assert names == {"version", "connector", "kind", "result", "state", "status", "in_use", "renews", "le", "service",
                     "operation", "outcome", "class", "channel"}


def test_the_same_number_of_series_for_more_accounts(awssim, sensor):
    counts = []
    for accounts in (2, 12):
        daemon = sensor(awssim(seed=21, accounts=accounts, certs_per_region=accounts, regions="us-east-1"))
        daemon.start()
        daemon.wait_idle()
        counts.append(len(scrape(daemon).samples))
        daemon.stop()
    assert counts[0] == counts[1] < 600


def test_a_port_that_is_taken_is_said(awssim, sensor):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        daemon = sensor(awssim(**SMALL), sensor_options=f"metrics_listen = 127.0.0.1:{port}")
        answer = daemon.run()
        assert answer.returncode == 1
        assert f"metrics_listen 127.0.0.1:{port}: Address already in use" in answer.stderr


def test_reload_keeps_the_listener_and_the_counts(awssim, sensor):
    sim = awssim(seed=22, **SMALL)
    daemon, port = listening(sensor, sim)
    daemon.wait_idle()
    calls = Metrics(ask(port)[2]).sum("acmsensor_aws_calls_total", operation="ListCertificates")
    daemon.configure({"prod": {"interval": "2h"}, "second": {"interval": "3h"}},
                     f"metrics_listen = 127.0.0.1:{free_port()}")
    daemon.signal(signal.SIGHUP)
    end = time.monotonic() + 60
    while True:
        metrics = Metrics(ask(port)[2])
        if metrics.matching("acmsensor_cycle_interval_seconds", connector="second"):
            break
        assert time.monotonic() < end
        time.sleep(0.1)
    assert metrics.sum("acmsensor_cycle_interval_seconds", connector="prod") == 7200
    assert metrics.sum("acmsensor_cycles_total", connector="prod", kind="cycle", result="complete") >= 1
    assert metrics.sum("acmsensor_aws_calls_total", operation="ListCertificates") >= calls > 0
    assert "reload option=metrics_listen" in daemon.log_text() and "takes a restart" in daemon.log_text()
    daemon.wait_idle()
    while not Metrics(ask(port)[2]).matching("acmsensor_account_regions", connector="second"):
        assert time.monotonic() < end
        time.sleep(0.1)


# --- others read them


def test_the_command(awssim, sensor):
    daemon = sensor(awssim(seed=23, **SMALL))
    daemon.start()
    daemon.wait_idle()
    cli = Cli("--socket", daemon.socket)
    metrics = Metrics(cli.out("metrics"))
    assert metrics.text.endswith("# EOF\n") and metrics.sum("acmsensor_build_info") == 1
    checked = promtool("check", "metrics", text=cli.out("metrics", "--classic"))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    answer = Cli("--offline", daemon.data_dir).run("metrics", code=2)
    assert "needs a running daemon" in answer.stderr and answer.stdout == ""
    daemon.stop()
    assert "no daemon answers" in cli.run("metrics", code=3).stderr


def test_the_rules_are_correct():
    checked = promtool("check", "rules", RULES)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = promtool("test", "rules", RULES.with_name("acmsensor.test.yml"))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def dashboard_expressions():
    return [target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"]
            for target in panel.get("targets", [])]


def metric_names(text):
    return set(re.findall(r"\b(?:acmsensor|process)_[a-z_]+[a-z]\b", text))


def test_rules_and_dashboard_name_metrics_that_exist(awssim, sensor):
    sim = awssim(seed=24, **SMALL)
    daemon = sensor(sim, sensor_options="alert_days = 3650\n[channel log]\nminimum = notice")
    daemon.start(AWS_CREDENTIAL_EXPIRATION=in_seconds(hours=2))
    daemon.wait_idle()
    there = wait_until(daemon, lambda m: m.matching("acmsensor_account_regions") and
                       m.matching("acmsensor_alerts") and
                       m.matching("acmsensor_alert_channel_sent_timestamp_seconds")).names()
    rules = "\n".join(line for line in RULES.read_text().splitlines() if not line.startswith("#"))
    wanted = {RULES.name: metric_names(rules), DASHBOARD.name: metric_names("\n".join(dashboard_expressions()))}
    for file, names in wanted.items():
        assert len(names) > 10 and names <= there, (file, names - there)
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    fields = {metric: set(labels) for metric, labels in
              ((sample.name, sample.labels) for sample in scrape(daemon).samples)}
    for expression in dashboard_expressions():
        for by in re.findall(r"by \(([^)]*)\)", expression):
            for name in metric_names(expression):
                assert set(by.split(", ")) <= fields[name], expression
    bounds = {sample.labels["le"] for sample in scrape(daemon).matching(LIFE + "_bucket")}
    for text in (RULES.read_text(), DASHBOARD.read_text().replace("\\", "")):
        assert set(re.findall(r'le="([^"]*)"', text)) <= bounds


@pytest.mark.long
def test_a_real_prometheus_scrapes_and_asks(awssim, sensor, tmp_path):
    sim = awssim(seed=25, acm_denied=1, **SMALL)
    daemon, port = listening(sensor, sim)
    daemon.wait_idle()
    prometheus = Prometheus(tmp_path / "prometheus", port, RULES)
    try:
        truth = sim.truth(reachable=1)
        ok = sum(c["state"] == "ok" for a in truth["accounts"] for c in a["coverage"])
        prometheus.wait_for(f'sum(acmsensor_account_regions{{state="ok"}}) == {ok}')
        assert prometheus.query('up{job="acmsensor"}')[0][1] == 1
        scraped = set(prometheus.get("/api/v1/label/__name__/values"))
        assert scrape(daemon).names() <= scraped
        assert prometheus.query("sum(acmsensor_certificates)")[0][1] == len(truth["certificates"])
        # Types and helps arrive too.
        known = prometheus.get("/api/v1/metadata")
        assert known["acmsensor_cycles"][0]["type"] == "counter"
        assert known["acmsensor_aws_request_duration_seconds"][0]["type"] == "histogram"
        assert known[LIFE][0]["type"] == "gaugehistogram"
        assert known["acmsensor_event_lag_seconds"][0]["unit"] == "seconds"
        # Every expression of the dashboard is one, and every rule is evaluated without an error.
        for expression in dashboard_expressions():
            prometheus.query(expression.replace("$instance", ".*").replace("$__rate_interval", "5m"))
        quantile = prometheus.wait_for(
            "histogram_quantile(0.5, sum by (le) (acmsensor_aws_request_duration_seconds_bucket))")
        assert 0 < quantile[0][1] < 60
        prometheus.wait_for('ALERTS{alertname="AcmsensorCoverageDenied", alertstate="pending"}')
        rules = [rule for group in prometheus.get("/api/v1/rules")["groups"] for rule in group["rules"]]
        assert len(rules) == 17 and all(rule["health"] == "ok" for rule in rules), rules
        # It is seen when the daemon goes.
        daemon.stop()
        prometheus.wait_for('up{job="acmsensor"} == 0')
        prometheus.wait_for('ALERTS{alertname="AcmsensorDown"}')
    finally:
        prometheus.stop()
