"""Timing that survives a shared machine: a window in which other processes took part is thrown away.

Ratios of medians taken in one run travel between machines; absolute times do not.
"""

import gc
import os
import platform
import statistics
import time
from importlib import metadata

WINDOW = 0.3  # seconds of repeated calls between two readings of the machine's load
FOREIGN_SHARE = 0.10  # of one core: what others may use before a window is thrown away
PATIENCE = 20.0  # seconds after which disturbed windows are taken all the same, and said so


def median_seconds(function, repeats=7):
    """Return the median time of at least `repeats` undisturbed calls, after one call to warm up.

    On systems without ``/proc/stat`` nothing is known of other processes and every call counts.
    """
    function()
    quiet, disturbed = [], []
    collecting = gc.isenabled()
    gc.disable()
    try:
        start = time.perf_counter()
        while len(quiet) < repeats and time.perf_counter() - start < PATIENCE:
            times, undisturbed = _window(function)
            (quiet if undisturbed else disturbed).extend(times)
    finally:
        if collecting:
            gc.enable()
    if len(quiet) < repeats:
        print(f"  (contended: {len(quiet)} of {len(quiet) + len(disturbed)} calls undisturbed)", flush=True)
        return statistics.median(quiet + disturbed)
    return statistics.median(quiet)


def environment():
    """Return one line naming the processor, the threads and the versions a figure was measured with."""
    import numba

    names = ("numpy", "scipy", "numba")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    return (
        f"{_processor()}, {numba.get_num_threads()} threads, Python {platform.python_version()}, {versions}"
    )


def _window(function):
    """Return the times of the calls in one window and whether the machine was otherwise idle."""
    busy, own, start = _busy_seconds(), _own_seconds(), time.perf_counter()
    times = []
    while time.perf_counter() - start < WINDOW and len(times) < 50:
        before = time.perf_counter()
        function()
        times.append(time.perf_counter() - before)
    length = time.perf_counter() - start
    foreign = (_busy_seconds() - busy) - (_own_seconds() - own)
    # The clock of /proc/stat ticks at 100 Hz: two ticks are its own uncertainty.
    return times, foreign < FOREIGN_SHARE * length + 0.02


def _busy_seconds():
    """Return the processor time of all processes, time stolen by the host included."""
    try:
        with open("/proc/stat") as file:
            ticks = [int(field) for field in file.readline().split()[1:9]]
    except OSError:
        return 0.0
    idle = ticks[3] + ticks[4]
    return (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK")


def _own_seconds():
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _processor():
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
