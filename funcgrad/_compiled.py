"""The one helper through which every loop of funcgrad is compiled, and what vectorising loops share.

A call of `math.exp` keeps a loop from vectorising. A polynomial for the fraction of the exponent and a power
of two assembled from bits need neither call nor branch; what they are made of is here.
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


@intrinsic
def multiply_add(typing_context, a, b, c):
    """Return a b + c, rounded once where the processor can; 'contract' alone leaves a product used twice."""

    def generate(context, builder, signature, arguments):
        double = ir.DoubleType()
        fused = builder.module.declare_intrinsic(
            "llvm.fmuladd", [double], ir.FunctionType(double, [double] * 3)
        )
        return builder.call(fused, arguments)

    return types.float64(types.float64, types.float64, types.float64), generate
