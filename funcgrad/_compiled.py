"""The one helper through which every loop of funcgrad is compiled."""

import numba

# 'reassoc' and 'afn' are left out on purpose: they break compensated sums and range reductions.
# 'nnan' and 'ninf' may be added by a loop whose inputs were checked at the door.
SAFE_FASTMATH = frozenset({"contract", "nsz", "arcp"})


def compiled(*, parallel=False, fastmath=SAFE_FASTMATH, inline="never"):
    """Return a decorator that compiles a function lazily, without the GIL, and caches it on disk.

    Where no cache folder is writable numba refuses to cache; the function is then compiled anew in
    each process, which costs time and nothing else.
    """
    options = {"nogil": True, "parallel": parallel, "fastmath": set(fastmath), "inline": inline}

    def decorate(function):
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:
            return numba.njit(**options)(function)

    return decorate
