"""acmsensor vault init: what it asks for and says. With the real systemd: tests/packaging."""
import os
import pathlib
import subprocess
import tempfile

import pytest

from cli import PROGRAM, Cli, environment
from other_user import NOBODY, takes_root


@pytest.fixture
def tools(tmp_path):
    """A PATH where only a systemctl of a given version is, or none."""
    folder = tmp_path / "tools"
    folder.mkdir()

    def make(text=None):
        if text is not None:
            (folder / "systemctl").write_text(f"#!/bin/sh\necho '{text}'\n")
            (folder / "systemctl").chmod(0o755)
        return str(folder)
    return make


def test_a_file_alone_is_made_once(tmp_path):
    cli, file = Cli("--offline", tmp_path), tmp_path / "vault-key"
    told = cli.out("vault", "init", "--key-file", file)
    assert f"base64 {file}" in told and f"vault_key_file = {file}" in told
    assert "Back up the key apart from the store" in told
    key = file.read_bytes()
    assert len(key) == 32 and file.stat().st_mode & 0o777 == 0o600
    done = cli.run("vault", "init", "--key-file", file, code=1)
    assert f"{file} is there already: the vault's key is never overwritten" in done.stderr
    assert file.read_bytes() == key and done.stdout == ""


def test_a_new_key_opens_the_daemons_vault(awssim, sensor, tmp_path):
    """The key that the daemon has made is taken over, so that what it sealed still opens."""
    sim = awssim(accounts=1, regions="us-east-1", certs_per_region=1, rate_scale=0, seed=5)
    daemon = sensor(sim).start()
    daemon.wait_idle()
    Cli("--socket", daemon.socket).run("csr", "--domain", "www.example.com")
    daemon.stop()
    file, former = tmp_path / "vault-key", daemon.data_dir / "vault" / "master.key"
    told = Cli("--offline", daemon.data_dir).out("vault", "init", "--key-file", file)
    assert f"shred -u {former}" in told
    former.unlink()
    daemon.configure({"prod": {}}, f"vault_key_file = {file}")
    daemon.start()
    assert f"open vault key={file}" in daemon.log_text()


def test_mistakes_are_named(tools, tmp_path):
    cli = Cli("--offline", tmp_path)
    assert 'vault: "list" is not init' in cli.run("vault", "list", code=2).stderr
    assert "--key-file here: expected an absolute path" in \
        cli.run("vault", "init", "--key-file", "here", code=2).stderr
    assert "there is no systemd on this host: acmsensor vault init --key-file FILE" in \
        cli.run("vault", "init", code=2, PATH=tools()).stderr
    assert "systemd 241 knows no credentials (247 does)" in \
        cli.run("vault", "init", code=2, PATH=tools("systemd 241 (241)")).stderr


@takes_root
def test_systemds_places_take_root():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        tool = pathlib.Path(folder, "systemctl")
        tool.write_text("#!/bin/sh\necho 'systemd 252 (252)'\n")
        tool.chmod(0o755)
        done = subprocess.run([PROGRAM, "vault", "init"], user=NOBODY,
                              env=environment(PATH=folder), capture_output=True, text=True)
    assert done.returncode == 2 and "this takes root: it writes to /etc/acmsensor" in done.stderr
