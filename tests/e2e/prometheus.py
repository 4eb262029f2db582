"""Reads metrics as others do: prometheus_client's strict OpenMetrics parser, promtool, Prometheus."""
import http.client
import json
import pathlib
import subprocess
import time
import urllib.parse
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
CLASSIC = "text/plain; version=0.0.4; charset=utf-8"
START_S = 60


class Metrics:
    """A scrape: metrics["acmsensor_cycles_total", {"connector": "prod"}] sums what matches."""

    def __init__(self, text):
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def matching(self, name, **labels):
        return [one for one in self.samples if one.name == name and
                all(one.labels.get(key) == value for key, value in labels.items())]

    def sum(self, name, **labels):
        found = self.matching(name, **labels)
        assert found, (name, labels, self.text)
        return sum(one.value for one in found)

    def names(self):
        return {one.name for one in self.samples}


def scrape(sensor, **headers):
    """From the control socket."""
    status, text = sensor.request("GET", "/metrics", headers=headers)
    assert status == 200, text
    return Metrics(text)


def wait_until(sensor, condition, timeout=60):
    """Scrapes until the condition holds of it."""
    end = time.monotonic() + timeout
    while True:
        metrics = scrape(sensor)
        if condition(metrics):
            return metrics
        assert time.monotonic() < end, metrics.text
        time.sleep(0.2)


def ask(port, method="GET", path="/metrics", headers=None, body=None, address="127.0.0.1"):
    """(status, headers, text) of the TCP listener."""
    connection = http.client.HTTPConnection(address, port, timeout=20)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def promtool(*arguments, text=None, cwd=None):
    return subprocess.run(["promtool", *map(str, arguments)], input=text, text=True, cwd=cwd,
                          capture_output=True, timeout=60)


class Prometheus:
    """A real one that scrapes the port each second, with the package's rules."""

    def __init__(self, folder, port, rules):
        folder.mkdir()
        self.port = free_port()
        config = folder / "prometheus.yml"
        config.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [{"job_name": "acmsensor", "static_configs": [
                {"targets": [f"127.0.0.1:{port}"]}]}]}))
        self.log = folder / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log)

    def get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        """[(labels, value)]"""
        found = self.get("/api/v1/query", query=expression)["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def wait_for(self, expression, timeout=START_S):
        """Until the expression has a result."""
        end = time.monotonic() + timeout
        while True:
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            try:
                found = self.query(expression)
            except OSError:
                found = []
            if found:
                return found
            assert time.monotonic() < end, (expression, self.log.read_text()[-4000:])
            time.sleep(0.2)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
