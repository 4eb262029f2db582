"""Lives of one daemon that end by kill -9, and what must hold after each of them.

    lives = Lives(daemon, sim, "a name for the dice")
    lives.converge()
    lives.end_at_random(); lives.check()      # again and again
    lives.converge()
"""
import collections
import http.client
import json
import shutil
import subprocess
import threading
import time

from torture import (Reader, all_events, check_store, clean_scan, copied, dice, fold_events,
                     hub_account)

# Where a cycle is after the line of its log; what it waits for there.
WAITS = {"BEGIN": "walk", "WALK": "write", "IDENTITY": "write", "TREE": "scan", "SCAN": "write",
         "TALLY": "write"}
IN_CYCLE = {"walk", "scan", "commit", "write"}
LIFE_S = 30
SINCE_EVER = ["--since", "3650d"]


def phase_at_death(log):
    """What the daemon was at when its log ended:

    start   it had not begun a cycle     walk    it read who and where
    scan    it read certificates         commit  the same, and what it read waited to be stored
    write   the cycle itself waited for its record, tree or tally to be stored
    idle    the cycle had ended"""
    phase, waiting = "start", set()
    for line in log.splitlines():
        words = line.split()
        if words[1:4] == ["info", "start", "cycle"]:
            phase = "write"
        elif words[1:4] == ["info", "end", "cycle"]:
            phase = "idle"
        elif words[1:3] == ["debug", "cycle"]:
            phase = WAITS.get(words[4].removeprefix("state="), phase)
        elif words[1:3] == ["debug", "acm_scan"]:
            waiting.discard(words[3])
            if words[4] == "state=WAIT_COMMIT":
                waiting.add(words[3])
    return "commit" if phase == "scan" and waiting else phase


class Lives:
    """daemon must log at debug."""

    def __init__(self, daemon, sim, name):
        self.daemon, self.sim, self.random = daemon, sim, dice(name)
        self.deaths = collections.Counter()  # by phase
        self.sync_ms = 0  # by which each sync of the store takes longer
        self.length_s = 1.0  # from the start to the end of a cycle, as last measured or guessed
        self._reader, self._reader_lives = None, 0
        self._forget()

    def _forget(self):
        self.shown_events, self.shown_arns = [], set()  # whatever the API ever told

    # --- one life

    def begin(self, **more):
        if self.sync_ms:
            more = {"LD_PRELOAD": self._preload(), "ACMSENSOR_SYNC_MS": str(self.sync_ms), **more}
        self._log_bytes = self.daemon.log.stat().st_size if self.daemon.log.exists() else 0
        self.daemon.start(wait=False, **more)

    def look(self):
        """Remembers what the API shows now."""
        new = self.daemon.events(**{"from": len(self.shown_events) + 1})
        self.shown_events += [(event["sequence"], event["hash"]) for event in new]
        self.shown_arns |= set(self.daemon.certificates())

    def watch(self, until=lambda: False):
        """Asks for a cycle, and looks, until the daemon is dead or it is time; whether it died."""
        has_asked, end = False, time.monotonic() + LIFE_S
        while self.daemon.process.poll() is None:
            assert time.monotonic() < end, self.daemon.log_text()[-4000:]
            try:
                if not has_asked:
                    self.daemon.ask()
                    has_asked = True
                self.look()
                if until():
                    return False
            except (OSError, http.client.HTTPException):
                pass  # not there yet, or there no more
            time.sleep(0.005)
        return True

    def bury(self):
        """After its death; the phase in which it came."""
        code, self.daemon.process = self.daemon.process.wait(), None
        with open(self.daemon.log, "rb") as log:
            log.seek(self._log_bytes)
            text = log.read().decode(errors="replace")
        assert code == -9, (code, text[-4000:])
        phase = phase_at_death(text)
        self.deaths[phase] += 1
        return phase

    def end_at_random(self):
        """kill -9 at any instant between the start and the end of a cycle."""
        self.begin()
        killer = threading.Timer(self.random.uniform(0, self.length_s), self.daemon.process.kill)
        killer.start()
        self.watch()
        killer.join()
        phase = self.bury()
        # A cycle that goes on with a former one's work is shorter: about one in five may be over.
        self.length_s *= 0.8 if phase == "idle" else 1.05
        return phase

    def ends_at_write(self, number, how):
        """kill -9 at a certain write or sync of the store; False: the cycle ended before."""
        self.begin(LD_PRELOAD=self._preload(), ACMSENSOR_DIE_AT=f"{number}:{how}")
        is_dead = self.watch(self._is_over)
        if not is_dead:
            self.daemon.process.kill()
        self.bury()
        return is_dead

    def live(self):
        """A life as long as its first cycle, measured."""
        self.begin()
        begin = time.monotonic()
        assert not self.watch(self._is_over)
        self.length_s = time.monotonic() - begin
        self.daemon.process.kill()
        self.bury()

    def _preload(self):
        return str(self.daemon.build / "die_at_write.so")

    def _is_over(self):
        entries = self.daemon.progress()
        return entries and all(entry["result"] for entry in entries)

    # --- between two lives

    def check(self):
        """The store opens and agrees with itself, and has all that was ever shown, the same."""
        self._let_reader_go()
        if not (self.daemon.data_dir / "store.mdb").exists():
            assert not self.shown_events
            return
        with copied(self.daemon.data_dir) as copy:
            found = check_store(copy, build=self.daemon.build)
            events = self._offline(copy, "events", *SINCE_EVER)
            certificates = self._offline(copy, "certs", "--gone", name="certificates")
        assert found["events"] == len(events)
        self._expect_kept(events)
        # A certificate and the event that tells of it are stored together or not at all.
        present, serials = fold_events(events)
        assert present == {one["arn"] for one in certificates if not one["gone"]}
        assert self.shown_arns <= {one["arn"] for one in certificates}

    def _offline(self, folder, command, *options, name=None):
        done = subprocess.run([str(self.daemon.build / "acmsensor"), "--offline", str(folder),
                               "-o", "json", command, *options], capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)[name or command]

    def _expect_kept(self, events):
        assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
        assert [(event["sequence"], event["hash"]) for event in
                events[:len(self.shown_events)]] == self.shown_events
        kinds = {event["kind"] for event in events}
        assert "store_restored" not in kinds, "a kill looked like a restored backup"

    def converge(self):
        """A life that ends after its cycle: the inventory is the truth, and the events tell how it
        came to be."""
        self.begin()
        self.watch(lambda: True)
        clean_scan(self.daemon)
        self.daemon.compare(self.truth())
        events = all_events(self.daemon)
        self._expect_kept(events)
        present, serials = fold_events(events)
        assert present == set(self.daemon.certificates())
        for arn in present:  # each serial after an ARN's first was told by one event
            history = self.daemon.get("/v1/certificate", q=arn)["certificates"][0]["history"]
            assert len(history) <= 1 + serials.get(arn, 0), (arn, history)
        self.daemon.kill()
        self.check()

    def truth(self):
        truth = self.sim.truth(reachable=1)
        return hub_account(truth) if "scope = account" in self.daemon.config.read_text() else truth

    def hold_reader(self, lives):
        """A reader (a backup, a CLI) that looks at the store of now, through so many lives."""
        if self._reader is None and (self.daemon.data_dir / "store.mdb").exists():
            self._reader = Reader(self.daemon.data_dir, build=self.daemon.build)
            self._reader_lives = lives

    def _let_reader_go(self):
        self._reader_lives -= 1
        if self._reader is not None and self._reader_lives <= 0:
            self._reader.let_go()
            self._reader = None

    def begin_anew(self):
        """An empty data directory."""
        assert self._reader is None
        shutil.rmtree(self.daemon.data_dir, ignore_errors=True)
        self._forget()
