"""A Debian in a folder: programs run in it as in a host of its own, but with our network."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "check-packages"
RUN_S = 300  # no command of the tests takes a tenth of it
# The mounts are the child's own and go with it.
ENTER = ("mount -t proc proc proc && mount --bind /dev dev && mount -t tmpfs tmpfs tmp && "
         'exec chroot . "$@"')


def mirror():
    """Where this host gets its packages from."""
    for path in [pathlib.Path("/etc/apt/sources.list"),
                 *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]:
        text = path.read_text() if path.is_file() else ""
        for line in text.splitlines():
            found = re.match(r"(?:deb\s+(?:\[[^]]*\]\s+)?|URIs:\s*)(\S*/debian/?)(?:\s|$)", line)
            if found:
                return found[1]
    return "http://deb.debian.org/debian"


class System:
    def __init__(self, path):
        self.path = pathlib.Path(path)

    @staticmethod
    def refusal():
        """What stands in the way of commands in a root; None: nothing."""
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--propagation", "private",
                               "sh", "-c", "mount -t tmpfs tmpfs /mnt && mount -t proc proc /proc"],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        return None if done.returncode == 0 else done.stdout.strip()

    def copy(self, name):
        path = FOLDER / name
        shutil.rmtree(path, ignore_errors=True)
        subprocess.run(["cp", "-a", "--reflink=auto", str(self.path), str(path)], check=True)
        return System(path)

    def slim(self):
        """Without what nobody reads here: copies are made of it."""
        for path in ("/usr/share/doc", "/usr/share/locale", "/usr/share/man", "/var/cache/apt"):
            shutil.rmtree(self.at(path), ignore_errors=True)
            self.at(path).mkdir()

    def remove(self):
        shutil.rmtree(self.path)

    def at(self, path):
        return self.path / str(path).lstrip("/")

    def write(self, path, text, mode=0o644):
        self.at(path).parent.mkdir(parents=True, exist_ok=True)
        self.at(path).write_text(text)
        self.at(path).chmod(mode)

    def command(self, *arguments):
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private",
                "env", "-C", str(self.path), "sh", "-c", ENTER, "enter", *arguments]

    def environment(self, **more):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                "DEBIAN_FRONTEND": "noninteractive", **more}

    def run(self, *arguments, code=0, **more):
        """Runs it as root; its output, both streams. code: the one expected; None: any."""
        done = subprocess.run(self.command(*arguments), env=self.environment(**more), text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=RUN_S)
        assert code in (None, done.returncode), (arguments, done.returncode, done.stdout[-4000:])
        return done.stdout

    def start(self, *arguments, log, **more):
        with open(log, "ab") as stream:
            return subprocess.Popen(self.command(*arguments), env=self.environment(**more),
                                    stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)

    def use_network(self):
        """Names and packages come from where ours do."""
        shutil.copy("/etc/resolv.conf", self.at("/etc/resolv.conf"))
        for place in ("apt.conf", "apt.conf.d/proxy.conf", "apt.conf.d/01proxy"):
            if pathlib.Path("/etc/apt", place).exists():
                shutil.copy(pathlib.Path("/etc/apt", place), self.at(f"/etc/apt/{place}"))

    def install(self, deb):
        """By apt, as an administrator does with a file."""
        self.use_network()
        shutil.copy(deb, self.at(f"/root/{deb.name}"))
        self.run("apt-get", "update", "-q")
        told = self.run("apt-get", "install", "-y", "-q", "--no-install-recommends",
                        f"/root/{deb.name}")
        self.at(f"/root/{deb.name}").unlink()
        return told

    def owner(self, path):
        """("root", "acmsensor", 0o750) as the names are in this system."""
        status = self.at(path).stat()
        names = []
        for table, number in (("passwd", status.st_uid), ("group", status.st_gid)):
            names += [line.split(":")[0]
                      for line in self.at(f"/etc/{table}").read_text().splitlines()
                      if line.split(":")[2] == str(number)]
        return (*names, status.st_mode & 0o7777)

    def user_id(self, name):
        for line in self.at("/etc/passwd").read_text().splitlines():
            if line.split(":")[0] == name:
                return int(line.split(":")[2])
        return None

    def check_gone(self, user_id):
        """No file by name, owner or content; no user; no trace in systemd."""
        skip = "( -path ./proc -o -path ./sys -o -path ./dev ) -prune -o".split()
        for test in (["-name", "*acmsensor*"], ["-uid", str(user_id)], ["-gid", str(user_id)]):
            found = subprocess.run(["find", ".", *skip, *test, "-print"], cwd=self.path, text=True,
                                   stdout=subprocess.PIPE, check=True).stdout
            assert found == "", found
        # Logs and the backups that dpkg and useradd keep of their files tell what was.
        told = subprocess.run(["grep", "-rlI", "acmsensor", "etc", "var", "run", "--exclude-dir=log",
                               "--exclude-dir=cache", "--exclude=*-old", "--exclude=*-"],
                              cwd=self.path, text=True, stdout=subprocess.PIPE).stdout
        assert told == "", told

    def configure(self, sim):
        """A connector beside the packaged configuration, and the hub's credentials."""
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        credentials = {name: key for name, key in zip(names, sim.base_keys()) if key}
        self.write("/etc/acmsensor/conf.d/prod.conf", f"""[connector prod]
region = {sim.ready["home_region"]}
role_name = {sim.ready["role_name"]}
external_id = {sim.ready["external_id"]}
endpoint_url = {sim.endpoint()}
import = all
""")
        self.write("/etc/acmsensor/environment", mode=0o600,
                   text="".join(f"{name}={key}\n" for name, key in credentials.items()))
        return credentials


class Daemon:
    """acmsensord as the first process of a system, up when the block begins; stop() ends it well,
    an end of the block before that ends it anyhow.

    process  unshare's, whose only child it is
    run      a function like System.run, for the CLI
    """

    def __init__(self, process, log, run):
        self.process, self.log, self.run = process, log, run

    def __enter__(self):
        wait_until(lambda: self.process.poll() is not None or
                   '"sensor"' in self.run("acmsensor", "-o", "json", "status", code=None))
        assert self.process.poll() is None, self.log.read_text()[-4000:]
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def pid(self):
        """As we see it."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[0])

    def stop(self):
        os.kill(self.pid(), signal.SIGTERM)
        assert self.process.wait(30) == 0, self.log.read_text()[-4000:]


def wait_until(what, timeout=30):
    end = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)

