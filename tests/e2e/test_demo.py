"""make demo shows what it promises, ends well and leaves nothing behind."""
import subprocess

from awssim import BUILD, ROOT, clean_environment

# In that order; what the CLI prints of a plan and of the jobs, not what the script announces.
SHOWN = [
    "import              no ARN is to be replaced, so it is imported as a new certificate",
    "deliver succeeded   ACM holds serial ",
    "reimport            ACM takes it under the same ARN, and nothing has to be moved",
    "ACM's rules", "passed              key type and size stay EC_prime256v1",
    "; served by 1 of 1 host", "deliver succeeded   ACM holds serial ", ": served, serial ",
    "rollback restored   ACM holds serial ", ": served, serial ",
]


def test_demo(tmp_path):
    done = subprocess.run(["sh", "tests/demo/demo.sh", BUILD], cwd=ROOT, text=True, timeout=120,
                          env=clean_environment(tmp_path, TMPDIR=str(tmp_path)),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-3000:]
    at = 0
    for part in SHOWN:
        found = done.stdout.find(part, at)
        assert found >= 0, (part, done.stdout[at:][:3000])
        at = found + len(part)
    assert [one.name for one in tmp_path.iterdir() if "demo" in one.name] == []
