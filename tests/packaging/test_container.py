"""What packaging/Containerfile promises, without an engine to run it: the same user, the same files,
a read-only root and one folder to write, made with mounts. The file itself is checked line by line
where it names packages and paths."""
import json
import os
import re
import subprocess

from system import ROOT, RUN_S, Daemon

USER = 10001
# As podman run --read-only --cap-drop=all with one volume.
ENTER = """set -e
mount --bind {root} {root}
mount -t proc proc {root}/proc
mount --bind /dev {root}/dev
mount --bind {volume} {root}/var/lib/acmsensor
mount -o remount,bind,ro {root}
cd {root}
exec chroot . setpriv --reuid={user} --regid={user} --clear-groups --inh-caps=-all \
    --bounding-set=-all --no-new-privs "$@"
"""


def containerfile():
    return (ROOT / "packaging" / "Containerfile").read_text()


class Container:
    """The installed files as the Containerfile arranges them."""

    def __init__(self, system, volume):
        self.system, self.volume = system, volume
        os.chown(volume, USER, USER)
        volume.chmod(0o700)
        system.write("/etc/acmsensor/conf.d/container.conf",
                     (ROOT / "packaging" / "container.conf").read_text())
        # Without the package's user and tmpfiles: as COPY leaves them.
        for path in ("/etc/acmsensor", "/etc/acmsensor/conf.d"):
            os.chown(system.at(path), 0, 0)
            system.at(path).chmod(0o755)
        run = system.at("/run/acmsensor")
        if run.is_dir():
            run.rmdir()
        run.symlink_to("/var/lib/acmsensor")

    def command(self, *arguments):
        script = ENTER.format(root=self.system.path, volume=self.volume, user=USER)
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private",
                "sh", "-c", script, "enter", *arguments]

    def run(self, *arguments, code=0):
        done = subprocess.run(self.command(*arguments), env=self.system.environment(), text=True,
                              timeout=RUN_S, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert code in (None, done.returncode), (arguments, done.stdout)
        return done.stdout

    def start(self, log, **more):
        with open(log, "wb") as stream:
            return subprocess.Popen(self.command("acmsensord"), stdout=stream, stderr=stream,
                                    env=self.system.environment(**more))


def test_a_cycle_without_root_on_a_read_only_root_with_one_volume(installed, awssim, tmp_path):
    volume, log = tmp_path / "volume", tmp_path / "log"
    volume.mkdir()
    container = Container(installed, volume)
    credentials = installed.configure(awssim)
    for path in ("/etc/acmsensor/x", "/run/x", "/tmp/x", "/var/x"):
        assert "Read-only file system" in container.run("touch", path, code=1)
    process = container.start(log, CREDENTIALS_DIRECTORY="/run/secrets", **credentials)
    with Daemon(process, log, container.run) as daemon:
        container.run("acmsensor", "scan", "--wait")
        told = json.loads(container.run("acmsensor", "-o", "json", "status"))["status"]
        assert {state: count for state, count in told["coverage"].items() if count} == {"ok": 8}
        assert container.run("acmsensor", "-o", "csv", "certs").count("arn:aws:acm:") > 10
        daemon.stop()
    assert {one.name for one in volume.iterdir()} >= {"store.mdb", "vault"}
    assert all(one.lstat().st_uid == USER for one in volume.rglob("*"))


def test_containerfile_names_what_there_is(installed_base, deb):
    text = containerfile()
    assert re.search(r"^USER 10001:10001$", text, re.M) and text.count("\nVOLUME ") == 1
    # The libraries that the package depends on are those that it installs.
    depends = subprocess.run(["dpkg-deb", "-f", str(deb), "Depends"], capture_output=True, text=True,
                             check=True).stdout
    wanted = {one.split()[0] for one in depends.split(",")} - {"systemd", "libc6"}
    stage = text.split("\nFROM ")[2]
    named = set(re.search(r"--no-install-recommends (.*?) &&", stage.replace("\\\n", ""))[1].split())
    assert wanted == named
    for path in re.findall(r"COPY (packaging/\S+)", text):
        assert (ROOT / path).exists()
