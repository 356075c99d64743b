"""The one helper through which every loop of funcgrad is compiled, and what vectorising loops share.

A call of `math.exp` keeps a loop from vectorising. Range reduction in two parts and an exponent assembled
from bits has neither call nor branch; the constants and the two bit casts for it are here.
"""

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

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


LOG2E = 1.4426950408889634
# ln 2 in two parts; the first has so few bits that n times it is exact.
LN2_HIGH, LN2_LOW = 0.693145751953125, 1.42860682030941723212e-6
# Adding 1.5 * 2^52 rounds to a whole number, which then sits in the low bits.
ROUNDER = 6755399441055744.0
MANTISSA_BITS = 52


@intrinsic
def bits_to_float(typing_context, bits):
    """Return the float64 whose bits are those of an int64."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), generate


@intrinsic
def float_to_bits(typing_context, number):
    """Return the bits of a float64 as an int64."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


@compiled()
def relative_expm1(r):
    """(e^r - 1) / r for |r| <= ln(2)/2: near minimax, so that 1 + r times it has relative error 1.6e-17."""
    p = 2.510038549551032e-08
    p = p * r + 2.7620088445409746e-07
    p = p * r + 2.7557268459997064e-06
    p = p * r + 2.4801521295954376e-05
    p = p * r + 0.00019841269863053618
    p = p * r + 0.0013888888917213717
    p = p * r + 0.008333333333330062
    p = p * r + 0.04166666666662413
    p = p * r + 0.16666666666666669
    p = p * r + 0.5000000000000001
    return p * r + 1.0
