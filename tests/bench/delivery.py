"""1,000 reimports over 50 accounts: bounded by ACM's import a second and account-region, or by us?"""
import concurrent.futures
import json
import time

from bundle import Authority, key_pem, pem
from clients import Daemon, note

ACCOUNTS, EACH, REGION = 50, 20, "us-east-1"
IMPORTS_PER_S = 1  # of an account and region
RATIO = 1.1
WAIT_S = 180


def import_before(sim, authority):
    """ARNs by account, imported by somebody else's tool."""
    arns = {}
    for account in sim.truth(certificates=0)["accounts"]:
        keys = None if account["account_id"] == sim.ready["management_account_id"] else \
            sim.assume(account["account_id"])
        acm = sim.boto3("acm", region=REGION, keys=keys)
        arns[account["account_id"]] = [
            acm.import_certificate(**authority.issue(f"h{n}.example.com").order())["CertificateArn"]
            for n in range(EACH)]
    return arns


def ask(daemon, path, **body):
    status, text = daemon.request("POST", path, body=json.dumps(body))
    if status != 200:
        raise RuntimeError(f"{path}: {status} {text}")
    return json.loads(text)


def plan(daemon, bundle, arn):
    return ask(daemon, "/v1/plan", arn=arn, certificate=pem(bundle.leaf).decode(),
               chain=pem(*bundle.chain).decode(), key=key_pem(bundle.key).decode())["plan"]


def wait_all(daemon, ids):
    end = time.monotonic() + WAIT_S
    while True:
        jobs = {job["id"]: job for job in daemon.get("/v1/jobs")["jobs"]}
        if all(jobs[i]["state"] != "running" for i in ids):
            return [jobs[i] for i in ids]
        if time.monotonic() > end:
            raise RuntimeError("jobs do not end")
        time.sleep(0.1)


def measure(bench, sim):
    authority = Authority("ec256")
    note("delivery: 1,000 certificates are imported by somebody else")
    arns = import_before(sim, authority)
    daemon = Daemon(bench.new_folder(), sim, "proxy")
    daemon.start()
    note("delivery: 1,000 plans")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        plans = list(pool.map(
            lambda one: plan(daemon, authority.issue(f"h{one[0]}.example.com", number=1), one[1]),
            # Account by account in turn, so that no account waits until the others are ordered.
            [(n, arn) for n, of_all in enumerate(zip(*arns.values())) for arn in of_all]))
    sim.faults(rate_scale=1, latency_ms=20)
    before = len(sim.imports())
    cpu_s, began = daemon.cpu_s(), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(48) as pool:
        ids = list(pool.map(lambda one: ask(daemon, "/v1/apply", plan=one["id"])["job"]["id"], plans))
    jobs = wait_all(daemon, ids)
    wall_s, cpu_s = time.monotonic() - began, daemon.cpu_s() - cpu_s
    if {job["state"] for job in jobs} != {"succeeded"} or len(sim.imports()) - before != len(ids):
        raise RuntimeError("not every reimport succeeded, once")
    daemon.stop()
    return wall_s, cpu_s, len(ids)


def delivery(bench, make_sim):
    with make_sim(folder=bench.new_folder(), accounts=ACCOUNTS, units=6, regions=REGION,
                  certs_per_region=0, rate_scale=0, fast_ca=True, seed=4, max_seconds=7200) as sim:
        wall_s, cpu_s, count = measure(bench, sim)
    bound_s = (EACH - 1) / IMPORTS_PER_S
    section = f"Delivery: {count} reimports, {ACCOUNTS} accounts, documented rates, 20 ms"
    bench.report.keep("delivery", {"wall_s": wall_s, "cpu_s": cpu_s, "bound_s": bound_s})
    bench.report.add(section, "lower bound", "", f"{bound_s:.1f} s: an import a second")
    bench.report.add(section, "apply to proof", f"at most {RATIO} x bound",
                     f"{wall_s:.1f} s = {wall_s / bound_s:.2f} x, {cpu_s / count * 1e3:.1f} ms "
                     "CPU each", wall_s <= RATIO * bound_s)
