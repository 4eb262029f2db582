"""Fixtures of the end-to-end tests, and the order in which they run side by side."""
import pytest

from acmsensor import Sensor
from awssim import Awssim


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
