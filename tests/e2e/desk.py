"""Orders to a daemon that delivers, by its API, and what AWS holds afterwards.

    desk = Desk(sim, sensor)
    plan, job = desk.deliver(bundle, arn=arn)

Time can be skipped (SkippedTime), so that what waits for minutes is tested in a second.
"""
import base64
import functools
import json
import re
import subprocess
import sys
import time

from awssim import SIM_BUILD, seconds_of
from bundle import key_pem, pem

REGION = "us-east-1"
PATIENCE_S = 90
PROVENANCE = {"acmsensor:managed-by", "acmsensor:sensor", "acmsensor:certificate-id"}
DESK_SIM = {"accounts": 2, "certs_per_region": 0, "regions": REGION, "rate_scale": 0}


def key_marks(key):
    """What gives a key away in bytes: lines of its PEM, the base64 of its PEM (as it goes to ACM),
    and from each of its numbers a part as DER has it (big end first) and as OpenSSL holds it."""
    text = key_pem(key)
    lines = [line for line in text.splitlines() if len(line) == 64]
    numbers = key.private_numbers()
    found = [*{lines[0], lines[len(lines) // 2], lines[-1]}, base64.b64encode(text)[120:200]]
    for name in ("private_value", "d", "p", "q", "dmp1", "dmq1", "iqmp"):
        if hasattr(numbers, name):
            number = getattr(numbers, name).to_bytes(256, "big").lstrip(b"\0")
            found += [number[-30:], number[::-1][:30]]
    return found


class Desk:
    """A daemon, the account it delivers into, and the API's verbs."""

    def __init__(self, sim, sensor, skipped=None):
        self.sim, self.sensor, self.time, self.is_read = sim, sensor, skipped, False
        truth = sim.truth(reachable=1, certificates=0)
        self.account = sim.ready["management_account_id"]
        self.accounts = [a["account_id"] for a in truth["accounts"]]
        self.acm = sim.boto3("acm", region=REGION)

    def start(self, libraries=(), **more):
        """libraries: preloaded into the daemon, if time can be skipped."""
        if self.time is not None:
            more = {**self.time.environment(self.sensor.build, *libraries), **more}
        self.sensor.start(**more)

    def held(self, bundle, **more):
        """The ARN of what somebody imported before."""
        return self.acm.import_certificate(**bundle.order(**more))["CertificateArn"]

    def post(self, path, want=200, **body):
        status, text = self.sensor.request("POST", path, body=json.dumps(body))
        assert status == want, (path, status, text, self.sensor.log_text()[-3000:])
        return json.loads(text)

    def refused(self, path, status, **body):
        error = self.post(path, want=status, **body)["error"]
        assert error["message"].count("\n") == 0
        return error["message"]

    def material(self, bundle):
        body = {"certificate": pem(bundle.leaf).decode(), "key": key_pem(bundle.key).decode()}
        if bundle.chain:
            body["chain"] = pem(*bundle.chain).decode()
        return body

    def plan(self, bundle=None, **more):
        if "certificate_id" in more and not self.is_read:
            self.sensor.wait_idle()  # what carries it is known after the first cycle only
            self.is_read = True
        body = {"account": self.account, "region": REGION}
        if bundle is not None:
            body.update(self.material(bundle))
        body.update(more)
        return self.post("/v1/plan", **body)["plan"]

    def apply(self, plan):
        return self.post("/v1/apply", plan=plan["id"])["job"]["id"]

    def job(self, job_id):
        return self.sensor.get("/v1/jobs", id=job_id)["jobs"][0]

    def wait(self, job_id, timeout=PATIENCE_S):
        end = time.monotonic() + timeout
        while True:
            job = self.job(job_id)
            if job["state"] != "running":
                assert job["ended"] and job["steps"], job
                return job
            assert time.monotonic() < end, (job, self.sensor.log_text()[-3000:])
            time.sleep(0.05)

    def wait_skipping(self, job_id):
        """As wait; what the job waits for passes at once."""
        end = time.monotonic() + PATIENCE_S
        while True:
            job = self.job(job_id)
            if job["state"] != "running":
                return job
            assert time.monotonic() < end, (job, self.sensor.log_text()[-3000:])
            self.time.skip_waits([job])
            time.sleep(0.02)

    def deliver(self, bundle, state="succeeded", **more):
        plan = self.plan(bundle, **more)
        assert plan["decision"] in ("reimport", "import"), plan
        job = self.wait(self.apply(plan))
        assert job["state"] == state, job
        return plan, job

    def tags(self, arn):
        return {t["Key"]: t["Value"]
                for t in self.acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]}

    def serial(self, arn):
        if self.time is not None:  # boto3 signs by the clock that was not put forward
            found = [one["serial"] for one in self.sim.truth()["certificates"] if one["arn"] == arn]
            return found[0].lstrip("0")
        found = self.acm.describe_certificate(CertificateArn=arn)["Certificate"]["Serial"]
        return found.replace(":", "").lstrip("0")

    def imported(self):
        return [c["arn"] for c in self.sim.truth()["certificates"]
                if c["type"] == "IMPORTED" and c.get("is_held")]


@functools.lru_cache
def sanitizers(build):
    """The runtimes that a build is linked with, which must be loaded before anything else."""
    linked = subprocess.run(["ldd", str(build / "acmsensord")], capture_output=True, text=True,
                            check=True).stdout
    return re.findall(r"=> (\S*/lib[at]san\S*)", linked)


class SkippedTime:
    """The clocks of a daemon and of its AWS, which a test puts forward together."""

    def __init__(self, folder, sim):
        self._file, self._sim, self.seconds = folder / "skipped", sim, 0
        self._file.write_bytes(bytes(8))

    def environment(self, build, *more_libraries):
        """For the daemon's start, each time."""
        libraries = [str(SIM_BUILD / name) for name in ("skip_time.so", *more_libraries)]
        return {"LD_PRELOAD": " ".join([*sanitizers(build), *libraries]),
                "ACMSENSOR_SKIP_FILE": str(self._file)}

    def skip(self, seconds):
        self.seconds += seconds
        with open(self._file, "r+b") as file:
            file.write(self.seconds.to_bytes(8, sys.byteorder))
        self._sim.clock(advance_s=seconds)

    def now(self):
        """What the daemon's clock shows."""
        return time.time() + self.seconds

    def skip_waits(self, jobs):
        """To the next attempt, when each of these jobs that runs waits for one."""
        waits = [seconds_of(job["next_attempt"]) - self.now() if job["next_attempt"] else 0
                 for job in jobs if job["state"] == "running"]
        if waits and min(waits) > 0:
            self.skip(int(min(waits)) + 1)
