#!/usr/bin/python3
"""Speed and scale of acmsensor beside a boto3 script, on one simulated AWS over TLS.

    bench.py [BUILD] [--only cpu,quota,...] [--full] [--json FILE]

Every run is compared with the simulator's truth, certificate by certificate, and does not count
when it is not complete and correct. Ends with 0: every target met; 3: some not; 1: a run was wrong.
"""
import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

CPU_RATIO = {1: 15, 20: 10}  # the peer's CPU seconds over ours, by latency in ms
WALL_RATIO = 1.15
ANONYMOUS_MIB = 64
DESCRIPTORS = 1100  # as many connections as may be kept, and what a daemon has open anyway
DEAD_RATIO = 1.10
READ_100K_S = 1.0
STALL_MS = 20
SLOTS = 64  # max_requests by default, and the peer's threads
IDLE_CPU_PERCENT = 0.1  # of one core
IDLE_ANONYMOUS_MIB = 24
READY_S = 0.5
SECTIONS = ["cpu", "quota", "rescan", "delivery", "scale", "reading", "idle"]


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", nargs="?", default=str(ROOT / "build" / "release"),
                        help="folder of acmsensord, acmsensor and awssim")
    parser.add_argument("--only", type=lambda text: text.split(","), default=SECTIONS,
                        help="of: " + ",".join(SECTIONS))
    parser.add_argument("--full", action="store_true",
                        help="scale, reading and idle with 5,000 accounts and 100,000 certificates")
    parser.add_argument("--repeat", type=int, default=3, help="CPU runs; the median counts")
    parser.add_argument("--threads", type=int, default=16,
                        help="of the peer, for CPU: with 8 to 16 it spends least")
    parser.add_argument("--no-peer", action="store_true", help="ours alone, while working on it")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args(arguments)
    unknown = set(options.only) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}")
    return options


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.report = Report()
        self.folders = 0

    def new_folder(self):
        self.folders += 1
        folder = self.folder / str(self.folders)
        folder.mkdir()
        return folder

    def once(self, sim, truth, via="proxy"):
        """A verified acmsensord --once on an empty store: (run, calls by operation)."""
        daemon = Daemon(self.new_folder(), sim, via)
        sim.reset_stats()
        run, certificates, coverage = daemon.once()
        verify.daemon(certificates, coverage, truth)
        return run, calls_of(sim)

    def peer(self, sim, truth, threads, retries="standard", via="proxy"):
        sim.reset_stats()
        run, inventory = Peer(sim, self.folder, threads, retries, via).once()
        verify.peer(inventory, truth)
        return run, calls_of(sim)


def calls_of(sim):
    stats = sim.stats()
    if stats["signature_failures"]:
        raise verify.Wrong(f"{stats['signature_failures']} signatures were refused")
    return {name.split(":")[1]: one["requests"] for name, one in stats["operations"].items()}


def throttles_of(sim):
    return sim.stats()["throttles"]


# --- CPU ------------------------------------------------------------------------------------------

def cpu(bench):
    """The regions that every account has, some certificates in each, straight over TLS."""
    with Awssim(folder=bench.new_folder(), accounts=50, units=6, regions=17, certs_per_region=6,
                rate_scale=0, fast_ca=True, seed=2, max_seconds=7200) as sim:
        truth = sim.truth(reachable=1)
        for latency_ms, target in CPU_RATIO.items():
            sim.faults(latency_ms=latency_ms)
            ours, theirs = [], []
            for i in range(bench.options.repeat):
                note(f"cpu, {latency_ms} ms latency, round {i + 1} of {bench.options.repeat}")
                ours.append(per_call(*bench.once(sim, truth, "tls")))
                if not bench.options.no_peer:
                    theirs.append(per_call(*bench.peer(sim, truth, bench.options.threads,
                                                       via="tls")))
            cpu_rows(bench, latency_ms, target, ours, theirs)


def per_call(run, calls):
    return {"cpu_s": run.cpu_s, "wall_s": run.wall_s, "calls": sum(calls.values()),
            "cpu_us_a_call": run.cpu_s / sum(calls.values()) * 1e6}


def median(runs, name):
    return statistics.median(run[name] for run in runs)


def cpu_rows(bench, latency_ms, target, ours, theirs):
    section = f"CPU at {latency_ms} ms latency, rates off, 50 x 17 x 6"
    report = bench.report
    report.keep(f"cpu_{latency_ms}ms", {"acmsensord": ours, "boto3": theirs})
    for name, runs in (("acmsensord --once", ours), ("boto3", theirs)):
        if runs:
            report.add(section, name, "", f"{median(runs, 'cpu_us_a_call'):.0f} us a call, "
                       f"{median(runs, 'cpu_s'):.2f} s for {median(runs, 'calls'):.0f} calls "
                       f"({median(runs, 'wall_s'):.1f} s wall)")
    if theirs:
        ratio = median(theirs, "cpu_us_a_call") / median(ours, "cpu_us_a_call")
        report.add(section, "boto3 over acmsensord", f"at least {target}", f"{ratio:.1f}",
                   ratio >= target)


# --- quota-bound ----------------------------------------------------------------------------------

def quota(bench, sim, truth):
    latency_ms = 20
    sim.faults(rate_scale=1, latency_ms=latency_ms)
    section = "Quota-bound: documented rates, 20 ms, 50 x 4 x 25"
    note("quota-bound, acmsensord")
    run, calls = bench.once(sim, truth)
    throttles = throttles_of(sim)
    terms = bound.wall_bound(truth, latency_ms / 1000, SLOTS, sum(calls.values()))
    bound_s = max(terms.values())
    bench.report.keep("quota", {"bound": terms, "wall_s": run.wall_s, "throttles": throttles,
                                "calls": calls})
    bench.report.add(section, "lower bound", "", f"{bound_s:.2f} s: " + ", ".join(
        f"{name} {value:.2f}" for name, value in terms.items()))
    bench.report.add(section, "acmsensord --once", f"at most {WALL_RATIO} x bound",
                     f"{run.wall_s:.2f} s = {run.wall_s / bound_s:.2f} x, {throttles} throttles",
                     run.wall_s <= WALL_RATIO * bound_s)
    if bench.options.no_peer:
        return
    for retries in ("standard", "adaptive"):
        note(f"quota-bound, boto3 with {SLOTS} threads, {retries} retries")
        what = f"boto3, {SLOTS} threads, {retries}"
        try:
            run, _ = bench.peer(sim, truth, SLOTS, retries)
        except verify.Wrong as error:
            bench.report.add(section, what, "", f"does not count: {str(error)[:120]}")
            continue
        bench.report.add(section, what, "", f"{run.wall_s:.2f} s = {run.wall_s / bound_s:.2f} x, "
                         f"{throttles_of(sim)} throttles")


# --- rescan ---------------------------------------------------------------------------------------

def rescan(bench, sim, truth):
    sim.faults(rate_scale=0, latency_ms=1)
    daemon = Daemon(bench.new_folder(), sim).start()
    note("rescan: first cycle")
    daemon.wait_idle(FIRST_MAX_S)
    verify.daemon(daemon.certificates(), daemon.coverage(), truth)
    places = places_of(truth)
    rescan_rows(bench, sim, daemon, truth, "Rescan without changes", places)
    changed = sim.mutate("renew", percent=1) + sim.mutate("reimport", percent=1)
    truth = sim.truth(reachable=1)
    rescan_rows(bench, sim, daemon, truth, f"Rescan with {len(changed)} of "
                f"{len(truth['certificates'])} changed", places, changed)
    daemon.stop()


def places_of(truth):
    """(account-regions, accounts)"""
    accounts = truth["accounts"]
    return sum(len(account["coverage"]) for account in accounts), len(accounts)


def rescan_rows(bench, sim, daemon, truth, section, places, changed=()):
    note(section)
    before, cpu_s = daemon.rested_store(), daemon.cpu_s()
    sim.reset_stats()
    begin = time.monotonic()
    daemon.scan(timeout=FIRST_MAX_S)
    wall_s, cpu_s = time.monotonic() - begin, daemon.cpu_s() - cpu_s
    calls, after = calls_of(sim), daemon.store()
    verify.daemon(daemon.certificates(), daemon.coverage(), truth)
    expected, why = bound.rescan_calls(truth, int(time.time()), changed)
    reasons = ", ".join(f"{count} {reason}" for reason, count in why.items())
    for name in ("ListCertificates", "DescribeCertificate", "GetCertificate",
                 "ListTagsForCertificate"):
        count, wanted = calls.get(name, 0), expected.get(name, 0)
        bench.report.add(section, name, f"{wanted}" + (
            f" ({reasons})" if name == "DescribeCertificate" else ""), f"{count}", count == wanted)
    events = after["events"] - before["events"]
    bench.report.add(section, "time", "", f"{wall_s:.2f} s, {cpu_s:.2f} s CPU, {events} events")
    write_rows(bench, section, before, after, places, why)
    bench.report.keep(section, {"calls": calls, "expected": expected, "why": why,
                                "store_before": before, "store_after": after})


def write_rows(bench, section, before, after, places, why):
    """Records put: one an account-region and an account, and those of what changed, with its
    indexes; none for what was only asked about."""
    pairs, accounts = places
    commits = after["commits"] - before["commits"]
    records = after["records_written"] - before["records_written"]
    most = pairs + accounts + RECORDS_A_CHANGE * why.get("changed", 0) + RECORDS_A_CYCLE
    bench.report.add(section, "records written", f"at most {most}: 1 an account-region and an "
                     f"account, {RECORDS_A_CHANGE} a changed certificate, {RECORDS_A_CYCLE}",
                     f"{records} in {commits} commits", records <= most)


# --- scale ----------------------------------------------------------------------------------------

def scale(bench):
    accounts, certificates = (5000, 100000) if bench.options.full else (500, 20000)
    section = f"Scale: {accounts:,} accounts x 17 regions, {certificates:,} certificates, 20 ms"
    flags = dict(accounts=accounts, units=accounts // 25, regions=17, rate_scale=0, latency_ms=20,
                 certs_per_region=certificates / (accounts * 17), fast_ca=True, seed=3,
                 max_seconds=7200)
    with Awssim(folder=bench.new_folder(), **flags) as sim:
        note(f"scale: the truth of {certificates} certificates")
        truth = sim.truth(reachable=1)
        daemon = Daemon(bench.new_folder(), sim).start()
        if "scale" in bench.options.only:
            scale_rows(bench, sim, daemon, truth, section)
        else:
            daemon.wait_idle(FIRST_MAX_S)
        daemon.stop()
        if "reading" in bench.options.only:
            reading(bench, sim, daemon, truth)


def timed_cycle(daemon, start):
    """Seconds that the cycle took by the daemon's own account of it, and its CPU seconds."""
    cpu_s, begin = daemon.cpu_s(), time.monotonic()
    entry = start()
    return {"wall_s": time.monotonic() - begin, "cpu_s": daemon.cpu_s() - cpu_s, "entry": entry}


def scale_rows(bench, sim, daemon, truth, section):
    report = bench.report
    note("scale: first cycle")
    with Watch(daemon.process.pid) as watch:
        first = timed_cycle(daemon, lambda: daemon.wait_idle(FIRST_MAX_S)["prod"])
    verify.daemon(daemon.certificates(), daemon.coverage(), truth)
    calls = sum(calls_of(sim).values())
    store = daemon.store()
    report.add(section, "first cycle", "", f"{first['wall_s']:.1f} s, {calls} calls, "
               f"{first['cpu_s'] / calls * 1e6:.0f} us CPU a call")
    peak_mib = watch.anonymous_kb / 1024
    report.add(section, "peak anonymous memory", f"at most {ANONYMOUS_MIB} MiB",
               f"{peak_mib:.1f} MiB", peak_mib <= ANONYMOUS_MIB)
    report.add(section, "file descriptors", f"at most {DESCRIPTORS}", f"{watch.descriptors}",
               watch.descriptors <= DESCRIPTORS)
    places = places_of(truth)
    pairs = places[0]
    report.add(section, "account-regions in coverage", f"{pairs}", f"{len(daemon.coverage())}",
               len(daemon.coverage()) == pairs)
    report.add(section, "longest stall of the loop", f"at most {STALL_MS} ms",
               f"{daemon.stall_ms()} ms", daemon.stall_ms() <= STALL_MS)
    report.add(section, "commits", "", commits_of(store))
    second = second_rows(bench, sim, daemon, truth, section, places)
    dead = dead_rows(bench, sim, truth, section, first)
    report.keep("scale", {"first": first, "second": second, "dead": dead, "calls": calls,
                          "anonymous_kb": watch.anonymous_kb, "store": store,
                          "descriptors": watch.descriptors})


def commits_of(store):
    busy_ms = max(store["run_ms"] + store["commit_ms"], 1)
    return (f"{store['commits']}, longest {store['longest_commit_ms']} ms; "
            f"{store['records_written']} records, {store['records_written'] / busy_ms * 1000:.0f} "
            f"a second of writing, {100 * store['commit_ms'] / busy_ms:.0f} % of it in commits")


def second_rows(bench, sim, daemon, truth, section, places):
    note("scale: second cycle")
    before = daemon.rested_store()
    sim.reset_stats()
    second = timed_cycle(daemon, lambda: daemon.scan(timeout=FIRST_MAX_S))
    calls = calls_of(sim)
    verify.daemon(daemon.certificates(), daemon.coverage(), truth)
    expected, why = bound.rescan_calls(truth, int(time.time()))
    for name in ("ListCertificates", "DescribeCertificate", "GetCertificate"):
        bench.report.add(section, f"second cycle: {name}", f"{expected.get(name, 0)}",
                         f"{calls.get(name, 0)}", calls.get(name, 0) == expected.get(name, 0))
    bench.report.add(section, "second cycle: time", "", f"{second['wall_s']:.1f} s")
    write_rows(bench, section, before, daemon.store(), places, why)
    return second


def dead_rows(bench, sim, truth, section, first):
    """A first cycle on an empty store, as the one it is compared with."""
    note("scale: a first cycle with one region dead")
    region = truth["regions"][-1]
    sim.faults({"kind": "dead", "probability": 1, "region": region})
    daemon = Daemon(bench.new_folder(), sim).start()
    dead = timed_cycle(daemon, lambda: daemon.wait_idle(FIRST_MAX_S)["prod"])
    wrong = [one for one in daemon.coverage().values()
             if (one["state"] == "ok") == (one["region"] == region)]
    sim.faults()
    daemon.stop()
    ratio = dead["wall_s"] / first["wall_s"]
    bench.report.add(section, f"first cycle, {region} dead", f"at most {DEAD_RATIO} x",
                     f"{dead['wall_s']:.1f} s = {ratio:.2f} x", ratio <= DEAD_RATIO)
    bench.report.add(section, "and its account-regions", "all unreachable, no others",
                     f"{len(wrong)} wrong", not wrong)
    return dead


# --- reading --------------------------------------------------------------------------------------

def reading(bench, sim, daemon, truth):
    """The daemon is started anew, so that the longest stall it tells is one of this section."""
    report = bench.report
    total = len(truth["certificates"])
    section = f"Reading {total:,} certificates while the daemon scans"
    note(section)
    sim.faults(latency_ms=20)
    sim.mutate("renew", percent=20)
    daemon.start()
    quiet_ms = daemon.stall_ms()
    ids = daemon.ask()["cycle_ids"]
    soon = sum(one["not_after"] is not None and is_soon(one) for one in truth["certificates"])
    timings = {"all": [], "soon": []}
    while not daemon.has_ended(ids):
        for name, arguments in (("all", ["certs"]), ("soon", ["certs", "--expires", "30d"])):
            run = daemon.cli(*arguments)
            timings[name].append((run.wall_s, run.output.count(b'"arn":')))
    daemon.wait_for(ids, FIRST_MAX_S)
    if not timings["all"]:
        raise verify.Wrong("the scan ended before anything was read")
    if any(rows != total for _, rows in timings["all"]):
        raise verify.Wrong(f"{[rows for _, rows in timings['all']]} rows instead of {total}")
    target_s = READ_100K_S * total / 100000
    all_s = statistics.median(wall_s for wall_s, _ in timings["all"])
    soon_s = statistics.median(wall_s for wall_s, _ in timings["soon"])
    rows = timings["soon"][0][1]
    report.add(section, "acmsensor certs -o json", f"at most {target_s:.2f} s",
               f"{all_s:.2f} s, median of {len(timings['all'])}", all_s <= target_s)
    report.add(section, "certs --expires 30d", "", f"{soon_s:.3f} s, {rows} rows "
               f"({soon} at the start)")
    report.add(section, "longest stall of the loop", f"at most {STALL_MS} ms",
               f"{daemon.stall_ms()} ms ({quiet_ms} before)", daemon.stall_ms() <= STALL_MS)
    report.keep("reading", {"timings": timings, "stall_ms": daemon.stall_ms(),
                            "stall_before_ms": quiet_ms})
    daemon.stop()


def is_soon(certificate):
    left_s = seconds_of(certificate["not_after"]) - time.time()
    return 0 <= left_s <= 30 * 86400


# --- idle -----------------------------------------------------------------------------------------

def idle(bench):
    """Between cycles: after a first one, and after a start with what it has stored."""
    accounts, certificates = (5000, 100000) if bench.options.full else (500, 20000)
    section = f"Idle between cycles, {certificates:,} certificates stored"
    flags = dict(accounts=accounts, units=accounts // 25, regions=17, rate_scale=0, latency_ms=1,
                 certs_per_region=certificates / (accounts * 17), fast_ca=True, seed=3,
                 max_seconds=7200)
    with Awssim(folder=bench.new_folder(), **flags) as sim:
        note(f"idle: a first cycle of {certificates} certificates")
        daemon = Daemon(bench.new_folder(), sim).start()
        daemon.wait_idle(FIRST_MAX_S)
        idle_rows(bench, daemon, section, "after a cycle")
        daemon.stop()
        note("idle: a start")
        begin = time.monotonic()
        daemon.start()
        ready_s = time.monotonic() - begin
        bench.report.add(section, "start until the socket answers", f"less than {READY_S} s",
                         f"{ready_s:.2f} s", ready_s < READY_S)
        idle_rows(bench, daemon, section, "after a start")
        daemon.stop()


def idle_rows(bench, daemon, section, when):
    note(f"idle: {when}")
    pid = daemon.process.pid
    time.sleep(IDLE_BEGIN_S)
    run_ns = run_time_ns(pid)
    time.sleep(IDLE_S)
    percent = (run_time_ns(pid) - run_ns) / 1e9 / IDLE_S * 100
    anonymous_mib = anonymous_kb(pid) / 1024
    bench.report.add(section, f"CPU {when}, {IDLE_S} s", f"less than {IDLE_CPU_PERCENT} %",
                     f"{percent:.4f} %", percent < IDLE_CPU_PERCENT)
    bench.report.add(section, f"anonymous memory {when}", f"at most {IDLE_ANONYMOUS_MIB} MiB",
                     f"{anonymous_mib:.1f} MiB", anonymous_mib <= IDLE_ANONYMOUS_MIB)
    bench.report.keep(f"idle {when}", {"cpu_percent": percent, "anonymous_mib": anonymous_mib})


def run_all(bench):
    if "cpu" in bench.options.only:
        cpu(bench)
    shared = {"quota": quota, "rescan": rescan}
    if set(shared) & set(bench.options.only):
        with Awssim(folder=bench.new_folder(), accounts=50, units=6, regions=4,
                    certs_per_region=25, rate_scale=0, fast_ca=True, seed=2,
                    max_seconds=7200) as sim:
            note("the truth")
            truth = sim.truth(reachable=1)
            for name, section in shared.items():
                if name in bench.options.only:
                    section(bench, sim, truth)
    if "delivery" in bench.options.only:
        delivery.delivery(bench, Awssim)
    if {"scale", "reading"} & set(bench.options.only):
        scale(bench)
    if "idle" in bench.options.only:
        idle(bench)


def main():
    with tempfile.TemporaryDirectory(prefix="acmsensor-bench-") as folder:
        bench = Bench(OPTIONS, pathlib.Path(folder))
        try:
            run_all(bench)
        except verify.Wrong as error:
            note(f"a run does not count: {error}")
            bench.report.print()
            return 1
        bench.report.print()
        if OPTIONS.json:
            bench.report.write_json(OPTIONS.json, vars(OPTIONS))
        return 3 if bench.report.misses() else 0


if __name__ == "__main__":
    OPTIONS = options_of(sys.argv[1:])
    os.environ["ACMSENSOR_BUILD"] = OPTIONS.build  # read when awssim.py is imported
    sys.path[:0] = [str(HERE), str(ROOT / "tests" / "e2e")]
    import bound
    import delivery
    import verify
    from awssim import Awssim, seconds_of
    from clients import Daemon, Peer, Watch, anonymous_kb, note, run_time_ns
    from report import Report
    FIRST_MAX_S = 1500
    IDLE_BEGIN_S, IDLE_S = 40, 60  # by then the daemon has had a look at what it can let go of
    RECORDS_A_CHANGE, RECORDS_A_CYCLE = 40, 300  # with indexes, history, event; units and the rest
    sys.exit(main())
