"""What the torture tests share: doses, dice, stores and processes seen from outside, file systems
of their own.

ACMSENSOR_LONG=1 gives the full dose; ACMSENSOR_SEED=N other random instants (default 1).
"""
import contextlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile

from acmsensor import Sensor
from awssim import BUILD

LONG = os.environ.get("ACMSENSOR_LONG") == "1"
SEED = int(os.environ.get("ACMSENSOR_SEED", "1"))
HAS_SANITIZER = any(name in (BUILD / "acmsensord").read_bytes()
                    for name in (b"__asan_init", b"__tsan_init"))


def dose(short, long):
    return long if LONG else short


def dice(name):
    """Random numbers of a test: always the same for a seed."""
    return random.Random(f"{SEED} {name}")


# --- the store, from outside the daemon


def check_store(data_dir, *options, build=BUILD):
    """What check_store finds; fails when it finds a problem."""
    done = subprocess.run([str(build / "check_store"), *options, str(data_dir)],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    found = json.loads(done.stdout)
    assert found["problems"] == 0, (found, done.stderr)
    return found


@contextlib.contextmanager
def copied(data_dir, *leave_out):
    """A copy to look at, so that the daemon finds its own store untouched."""
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        copy = pathlib.Path(folder) / "copy"
        shutil.copytree(data_dir, copy, ignore=shutil.ignore_patterns(*leave_out))
        yield copy


def all_events(daemon):
    """Every event, oldest first; fails on a gap."""
    events = daemon.events()
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    return events


def fold_events(events):
    """The certificates that exist when every event is believed, and how often the serial of each
    changed. Fails on an event that cannot be."""
    present, gone, serials = set(), set(), {}
    for event in events:
        kind, arn = event["kind"], event["arn"]
        if kind == "certificate_appeared":
            assert arn not in present and arn not in gone, event
            present.add(arn)
        elif kind == "certificate_gone":
            assert arn in present, event
            present.remove(arn)
            gone.add(arn)
        elif kind == "certificate_returned":
            assert arn in gone, event
            gone.remove(arn)
            present.add(arn)
        elif arn:
            assert arn in present, event
        if kind in ("certificate_renewed", "certificate_reimported"):
            serials[arn] = serials.get(arn, 0) + 1
    return present, serials


def clean_scan(daemon, timeout=100):
    """A cycle that began now and reads everything, not one that was under way; its entry."""
    while True:
        scan = daemon.ask()
        entry = daemon.wait_for(scan["cycle_ids"], timeout)[scan["cycle_ids"][0]]
        if scan["scans"][0]["state"] != "joined":
            assert entry["result"] != "failed", entry
            return entry


# One account read without a walk through an organization, whose calls AWS allows once a second.
ONE_ACCOUNT = dict(accounts=2, units=0, hub="member", regions=8, certs_per_region=6, rate_scale=0)


def hub_account(truth):
    """The truth for scope = account."""
    hub = truth["hub_account_id"]
    return {**truth, **{name: [one for one in truth[name] if one["account_id"] == hub]
                        for name in ("accounts", "certificates")}}


def compare_one_account(daemon, sim):
    """As Sensor.compare, for scope = account."""
    daemon.compare(hub_account(sim.truth(reachable=1)))


class Reader:
    """A process that keeps a read transaction open until it is let go."""

    def __init__(self, data_dir, build=BUILD):
        self.process = subprocess.Popen(
            [str(build / "check_store"), "--hold", str(data_dir)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.held = json.loads(self.process.stdout.readline())["held"]

    def let_go(self):
        """Whether all that it saw in the beginning was still there, the same."""
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, (out, err)
        assert json.loads(out)["seen"] == self.held

    def kill(self):
        self.process.kill()
        self.process.communicate()


# --- processes


def memory_bytes(pid):
    """Anonymous memory: what the process holds itself, without the mapped store."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no RssAnon")


def descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        raise AssertionError("this test needs root: nobody else may look into a process that "
                             "must leave no core") from None


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- file systems of their own


class Mounts:
    """A private mount namespace: what is mounted in it nobody else sees, and it goes with us.

    Root makes it directly, others by a user namespace; where neither is allowed the test fails and
    says so, because a full disk that was never tried must not look like one that was survived."""

    def __init__(self):
        self._is_root = os.geteuid() == 0
        command = ["unshare", "--mount", "--propagation", "private"]
        if not self._is_root:
            command += ["--user", "--map-root-user"]
        # Ends with its input, so with this process, however that ends.
        self._holder = subprocess.Popen(
            [*command, "sh", "-c", "echo ready; exec cat"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self._holder.stdout.readline() != b"ready\n":
            why = self._holder.communicate()[1].decode().strip()
            raise AssertionError(
                f"this test needs a mount namespace of its own (root with CAP_SYS_ADMIN, or user "
                f"namespaces), which this machine refuses: {why}")

    def prefix(self):
        user = [] if self._is_root else ["--user", "--preserve-credentials"]
        return ["nsenter", *user, "--mount", "--target", str(self._holder.pid), "--"]

    def run(self, *command, may_fail=False, what=None):
        done = subprocess.run([*self.prefix(), *command], capture_output=True, text=True,
                              timeout=120)
        assert may_fail or done.returncode == 0, (what or command, done.stdout, done.stderr)
        return done

    def path(self, path):
        """The same file, seen from here."""
        return pathlib.Path(f"/proc/{self._holder.pid}/root{path}")

    def close(self):
        self._holder.stdin.close()
        self._holder.wait()


class MountedSensor(Sensor):
    """A daemon whose data directory lies on a file system of its own, in a mount namespace."""

    def __init__(self, folder, sim, mounts, **options):
        super().__init__(folder, sim, **options)
        self.mounts = mounts
        self.data_dir.mkdir()

    def command(self, *arguments):
        return [*self.mounts.prefix(), *super().command(*arguments)]

    def mount_memory(self, size_bytes):
        self.mounts.run("mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=0700", "tmpfs",
                        str(self.data_dir))

    def mount_image(self, image, *options):
        """ext4 in a file; needs a loop device."""
        self.mounts.run("mount", "-o", ",".join(("loop", *options)), str(image),
                        str(self.data_dir),
                        what="this test needs a loop device and ext4; mounting an image failed")

    def remount(self, options):
        return self.mounts.run("mount", "-o", "remount," + options, str(self.data_dir))

    def unmount(self):
        self.mounts.run("umount", str(self.data_dir))

    def disk(self):
        return self.mounts.path(self.data_dir)

    def fill_disk(self, leave_bytes=0):
        """Takes all space but leave_bytes; free_disk gives it back."""
        block = b"\0" * 4096
        with open(self.disk() / "filler", "ab", buffering=0) as filler:
            while True:
                status = os.statvfs(self.disk())
                if status.f_bavail * status.f_frsize <= leave_bytes:
                    return
                try:
                    filler.write(block)
                except OSError:
                    return

    def free_disk(self):
        (self.disk() / "filler").unlink()


def stop_at_once(daemon):
    """SIGTERM: exit 0, within two seconds (four with sanitizers, which look for leaks)."""
    took = daemon.stop()
    assert took < (4 if HAS_SANITIZER else 2), took
    return took
