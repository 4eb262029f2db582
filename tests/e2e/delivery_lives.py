"""Lives of a daemon that delivers into many accounts at once, each ended by kill -9, and what must
hold after each of them and when all has come to its end.

    lives = DeliveryLives(desk, slots, "a name for the dice")
    lives.order("import"); lives.end_at_random(); ...; lives.converge()
    lives.expect_no_leftovers()
"""
import collections
import concurrent.futures
import http.client
import re
import threading
import time

from awssim import SIM_BUILD
from bundle import new_key
from desk import key_marks
from torture import check_store, copied, dice

JOB_LINE = re.compile(r" debug job (\S+) (goes on after|ends its run|phase=\w+ -> (\w+))")
GOES_AWAY = (OSError, http.client.HTTPException)
CONVERGE_S = 60
PLAN_LIFE_S = 3600


def phases_at_death(log):
    """Of each job that ran when the log ended: the phase whose step was under way; "first" for the one that it
    began or went on with."""
    phases = {}
    for job, what, phase in JOB_LINE.findall(log):
        if what == "goes on after":
            phases.setdefault(job, "first")
        elif what == "ends its run":
            phases.pop(job, None)
        else:
            phases[job] = phase
    return phases


class Slot:
    """An account with one certificate of ours or none, and one order at a time for it."""

    def __init__(self, account, connector, escrow):
        self.account, self.connector, self.escrow = account, connector, escrow
        self.arn = self.holds = None  # what ACM must hold: a bundle
        self.undoes = None            # (job, bundle): what a rollback would bring back
        self.seen = set()             # jobs
        self.kind = self.bundle = self.plan = self.job = None

    def order(self, kind, bundle):
        self.kind, self.bundle, self.plan, self.job = kind, bundle, None, None

    def possible(self):
        if self.arn is None:
            return ["import"]
        return ["reimport", "delete", *(["rollback"] if self.undoes else [])]

    def adopt(self, jobs):
        """The order may have arrived before the daemon died."""
        mine = [job["id"] for job in jobs if job["account_id"] == self.account
                and job["id"] not in self.seen]
        assert len(mine) <= 1, mine
        if mine:
            self.seen.add(mine[0])
            self.job = mine[0]

    def push(self, desk):
        """The order, as far as it has not arrived."""
        place = {"account": self.account, "connector": self.connector}
        if self.kind == "rollback":
            answer = desk.post("/v1/rollback", job=self.undoes[0])
        elif self.kind == "delete":
            answer = desk.post("/v1/delete", arn=self.arn, connector=self.connector)
        else:
            if self.plan is None:
                more = {"arn": self.arn} if self.kind == "reimport" else {}
                self.plan = desk.plan(self.bundle, **place, **more)
                assert self.plan["decision"] == self.kind, self.plan
            answer = desk.post("/v1/apply", plan=self.plan["id"])
        self.adopt([{**answer["job"], "account_id": self.account}])

    def settle(self, job, held):
        """The job's end tells the truth. held: ARN and serial of the account's certificates."""
        state, before = job["state"], self.holds
        if self.kind == "delete":
            assert state == "succeeded", job
            self.arn = self.holds = self.undoes = None
        elif self.escrow == "memory" and state == "failed":
            assert "lost" in job["reason"], job  # with the life that had it
            if "nothing was changed" not in job["reason"]:
                self._look(job, held)
        elif self.kind == "rollback":
            assert state == "restored", job
            self.holds, self.undoes = self.undoes[1], None
        else:
            assert state == "succeeded", job
            has_key = before is not None and job["rollback_possible"]
            self.arn, self.holds = job["arn"], self.bundle
            self.undoes = (job["id"], before) if has_key else None
        wanted = {self.arn: self.holds.serial.lstrip("0")} if self.holds else {}
        assert held == wanted, (job, held, wanted)

    def _look(self, job, held):
        """It says that somebody has to look: nothing, the old one or the new one, once."""
        assert "looked at by hand" in job["reason"], job
        assert len(held) <= 1
        for arn, serial in held.items():
            assert serial in [one.serial.lstrip("0") for one in (self.holds, self.bundle) if one]
            self.arn = arn
            self.holds = self.bundle if serial == self.bundle.serial.lstrip("0") else self.holds
        self.undoes = None


class DeliveryLives:
    """The daemon must log at debug; the desk's time can be skipped."""

    def __init__(self, desk, authority, slots, name):
        self.desk, self.slots, self.random = desk, slots, dice(name)
        self.authority = authority
        self.deaths = collections.Counter()  # by phase of each job that ran
        self.hits = 0                        # deaths while a job ran
        self.length_s = 0.4                  # from the start to the end of all, as guessed
        self.sync_ms = 0                     # by which each sync of the store takes longer
        self.jobs = []                       # of these orders, as last seen
        self.busy = []                       # the slots that have an order
        self.new_marks = []                  # of the keys of these orders
        self.ends = {}                       # how each job ended
        self._log_bytes = 0
        self._pool = concurrent.futures.ThreadPoolExecutor(len(slots))

    # --- orders

    def order_all(self):
        """One for each slot, drawn from what is possible."""
        self._order({slot: self.random.choice(slot.possible()) for slot in self.slots})

    def order_each(self, kinds):
        """One for each slot, as listed; what makes it possible is done before."""
        wanted = dict(zip(self.slots, kinds))
        while True:
            first = {slot: "delete" if kind == "import" else slot.possible()[0]
                     for slot, kind in wanted.items() if kind not in slot.possible()}
            if not first:
                break
            self._order(first)
            self.converge()
        self._order(wanted)

    def _order(self, kinds):
        self.busy, self.jobs, self.new_marks = list(kinds), [], []
        for slot, kind in kinds.items():
            bundle = None
            if kind in ("import", "reimport"):
                bundle = self.authority.issue("www.example.com", key=new_key("ec256"))
                self.new_marks += key_marks(bundle.key)
            slot.order(kind, bundle)

    def _push(self, slot):
        try:
            slot.push(self.desk)
        except GOES_AWAY:
            pass  # not there yet, or there no more

    def _push_all(self):
        """Orders what has not arrived; the jobs of the slots."""
        sensor = self.desk.sensor
        jobs = {job["id"]: job for job in sensor.get("/v1/jobs")["jobs"]}
        waiting = [slot for slot in self.busy if slot.job is None]
        for slot in waiting:
            slot.adopt(jobs.values())
        list(self._pool.map(self._push, [slot for slot in waiting if slot.job is None]))
        self.jobs = [jobs[slot.job] for slot in self.busy if slot.job in jobs]
        return self.jobs

    # --- one life

    def begin(self, **more):
        log = self.desk.sensor.log
        self._log_bytes = log.stat().st_size if log.exists() else 0
        self.desk.start(["die_at_write.so"], wait=False, ACMSENSOR_SYNC_MS=str(self.sync_ms),
                        **more)

    def _watch(self, is_over=lambda jobs: False):
        """Orders and looks until the daemon is dead or it is time; whether it died."""
        end, trouble = time.monotonic() + CONVERGE_S, None
        while self.desk.sensor.process.poll() is None:
            assert time.monotonic() < end, (trouble, self.jobs, self.desk.sensor.log_text()[-6000:])
            try:
                if is_over(self._push_all()):
                    return False
            except GOES_AWAY as error:
                trouble = error  # not there yet, or there no more
            time.sleep(0.005)
        return True

    def _bury(self):
        """After its death; whether a job ran."""
        sensor = self.desk.sensor
        code, sensor.process = sensor.process.wait(), None
        with open(sensor.log, "rb") as log:
            log.seek(self._log_bytes)
            text = log.read().decode(errors="replace")
        assert code == -9, (code, text[-4000:])
        phases = phases_at_death(text)
        self.deaths.update(phases.values())
        self.hits += bool(phases)
        self._check(text)
        return bool(phases)

    def end_at_random(self):
        """kill -9 at any instant between the start and the end of all jobs; whether one ran. Most
        of these instants are after the start, however long that takes here."""
        self.begin()
        if self.random.random() < 0.8:
            self._wait_for_answer()
        killer = threading.Timer(self.random.uniform(0, self.length_s),
                                 self.desk.sensor.process.kill)
        killer.start()
        self._watch()
        killer.join()
        is_hit = self._bury()
        # Too late when nothing was left to do; else it was too early, on a machine that is slow now.
        self.length_s *= 0.9 if not is_hit and self.rests() else 1.05
        return is_hit

    def spared(self, phases):
        """Those in which no job has died yet."""
        return [phase for phase in phases if not self.deaths[phase]]

    def _wait_for_answer(self):
        end = time.monotonic() + CONVERGE_S
        while time.monotonic() < end:
            try:
                self.desk.sensor.progress()
                return
            except GOES_AWAY:
                time.sleep(0.002)

    def rests(self):
        """Whether no job was at work any more, when last seen."""
        return len(self.jobs) == len(self.busy) and \
            all(job["state"] != "running" or job["next_attempt"] for job in self.jobs)

    def ends_at_write(self, number, how):
        """kill -9 at a certain write, sync or commit of the store; False: all jobs ended before."""
        self.begin(ACMSENSOR_DIE_AT=f"{number}:{how}")
        is_dead = self._watch(self._is_over)
        if not is_dead:
            self.desk.sensor.process.kill()
        self._bury()
        return is_dead

    def _is_over(self, jobs):
        self.desk.time.skip_waits(jobs)
        return len(jobs) == len(self.busy) and all(job["state"] != "running" for job in jobs)

    # --- between two lives

    def _check(self, log):
        """The store is whole, and neither it nor the log has a key that is not sealed."""
        data_dir = self.desk.sensor.data_dir
        with copied(data_dir) as copy:
            check_store(copy, build=SIM_BUILD)
            texts = [path.read_bytes() for path in copy.rglob("*") if path.is_file()]
        for text in [log.encode(), *texts]:
            for mark in self.new_marks:
                assert mark not in text, mark

    def converge(self):
        """A life in which all orders come to their end: each is the truth about ACM, and nothing
        is there twice."""
        self.begin()
        assert not self._watch(self._is_over)
        jobs = {job["id"]: job for job in self.desk.sensor.get("/v1/jobs")["jobs"]}
        held = collections.defaultdict(dict)
        for one in self.desk.sim.truth()["certificates"]:
            if one["type"] == "IMPORTED":
                held[one["account_id"]][one["arn"]] = one["serial"].lstrip("0")
        for slot in self.busy:
            slot.settle(jobs[slot.job], held[slot.account])
        for job_id, job in jobs.items():
            end = (job["state"], job["reason"], job["ended"])
            assert self.ends.setdefault(job_id, end) == end, job
        self.desk.sensor.kill()

    def expect_no_leftovers(self):
        """What crashes left over is found and deleted when no plan needs it any more; each job has
        ended once, and a first import was never done twice."""
        desk = self.desk
        desk.time.skip(2 * PLAN_LIFE_S)
        desk.start()
        end = time.monotonic() + CONVERGE_S
        while any(one["state"] != "gone" for one in desk.sim.secrets()):
            assert time.monotonic() < end, desk.sim.secrets()
            desk.time.skip(10)  # the sweep waits a little after the start
            time.sleep(0.2)
        finished = collections.Counter(event["subject"] for event in desk.sensor.events()
                                       if event["kind"] == "delivery_finished")
        assert finished == {job_id: 1 for job_id in self.ends}
        first = collections.Counter(one["fingerprint_sha256"] for one in desk.sim.imports()
                                    if not one["is_reimport"])
        assert all(count == 1 for count in first.values()), first
        desk.sensor.stop()
