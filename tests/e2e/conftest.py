"""Fixtures of the end-to-end tests, and the order in which they run side by side."""
import pytest

from acmsensor import Sensor
from awssim import Awssim
from bundle import Authority
from cli import Cli
from desk import DESK_SIM, Desk, SkippedTime
from fake_api import FakeApi


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes more than ten seconds, so it begins first")
    # pytest-xdist's own, known also without it.
    config.addinivalue_line("markers", "xdist_group(name): in one process, one after the other")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture
def awssim(tmp_path):
    """A function that starts a simulated AWS with the given flags; ended after the test."""
    running = []

    def start(**flags):
        folder = tmp_path / f"awssim-{len(running)}"
        folder.mkdir()
        sim = Awssim(folder=folder, **flags).start()
        running.append(sim)
        return sim

    yield start
    codes = [sim.stop() for sim in running]
    assert all(code in (0, None) for code in codes), [sim.log.read_text() for sim in running]


@pytest.fixture
def sensor(tmp_path):
    """A function that makes a Sensor (a configuration and its daemon) for an awssim; a daemon
    that still runs after the test is stopped, and must end well."""
    made = []

    def make(sim, **options):
        made.append(Sensor(tmp_path / f"sensor-{len(made)}", sim, **options))
        return made[-1]

    yield make
    for one in made:
        if one.process is not None:
            one.stop()
        text = one.log_text() if one.log.exists() else ""
        assert "Sanitizer" not in text and "runtime error" not in text, text[-6000:]


# --- delivery


@pytest.fixture(scope="session")
def ec():
    return Authority("ec256")


@pytest.fixture(scope="session")
def rsa():
    return Authority("rsa2048")


@pytest.fixture
def desk(awssim, sensor, tmp_path):
    """A function that starts a simulated AWS and a daemon that delivers into it.

    options      of the one connector "prod"; connectors: {name: options} instead
    skips_time   its clocks can be put forward: desk.time"""
    def make(flags=None, options=None, connectors=None, skips_time=False, **more):
        sim = awssim(**{**DESK_SIM, **(flags or {})})
        given = connectors or {"prod": options or {}}
        wanted = {name: {"import": "all", "interval": "24h", **one} for name, one in given.items()}
        time = SkippedTime(tmp_path, sim) if skips_time else None
        at = Desk(sim, sensor(sim, connectors=wanted, **more), time)
        at.start()
        return at

    return make


# --- the CLI with a daemon that answers from a script


@pytest.fixture
def api(tmp_path):
    """A function that starts the fake with answers; (fake, CLI)."""
    running = []

    def start(answers):
        fake = FakeApi(tmp_path / f"s{len(running)}", answers).__enter__()
        running.append(fake)
        return fake, Cli("--socket", fake.path)

    yield start
    for fake in running:
        fake.__exit__()


@pytest.fixture
def files(tmp_path):
    """Private files by name."""
    def write(**contents):
        made = {}
        for name, text in contents.items():
            path = tmp_path / name
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            path.chmod(0o600)
            made[name] = path
        return made
    return write
