"""The compiled part of `core.learning.flat_trees`: 64 cases at once walk through an ensemble of trees.

It is imported when the first case is scored: numba takes a second and 125 MB, which a process that shows only
what others made does not need.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from core.domain.weather import Values

#: Cases that are walked at once: as many as four registers of AVX-512 hold, or eight of AVX2; longer would leave the
#: first cache (2 x 100 features x 64 cases x 4 bytes).
CASES = 64

_WORD, _FLAG, _REAL = ir.IntType(32), ir.IntType(1), ir.FloatType()
_WORDS, _REALS = ir.VectorType(_WORD, CASES), ir.VectorType(_REAL, CASES)
_ALL = ir.Constant(_WORDS, [0xFFFFFFFF] * CASES)


def _everywhere(builder: Any, value: Any, kind: Any) -> Any:
    """Return a vector of which every element is `value`."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(_WORD, 0))
    return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), ir.Constant(_WORDS, None))


def _loaded(builder: Any, pointer: Any, kind: Any) -> Any:
    """Return a vector read from where an array has it, aligned to its elements only."""
    value = builder.load(builder.bitcast(pointer, kind.as_pointer()))
    value.align = 4
    return value


def _stored(builder: Any, value: Any, pointer: Any) -> None:
    builder.store(value, builder.bitcast(pointer, value.type.as_pointer())).align = 4


def _walk(typing: Any, seen: Any, splits: Any, part: Any, at: Any) -> tuple[Any, Callable[..., Any]]:
    """Walk one part of a tree; `part` is where its splits begin and end, the exit that it hangs on, its first exit.

    The cases of which `at` is the exit that it hangs on are led to the lowest of its exits that is left when every
    split that sends them to the right has struck out the exits on its left. Nothing is done where no case is there.
    """
    del typing

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def data(kind: Any, array: Any) -> Any:
            return context.make_array(kind)(context, builder, array).data

        column, threshold, keeps = (
            data(kind, builder.extract_value(arguments[1], i)) for i, kind in enumerate(signature.args[1].types)
        )
        begin, end, here, first = (builder.extract_value(arguments[2], i) for i in range(4))
        values, place = data(signature.args[0], arguments[0]), data(signature.args[3], arguments[3])
        left = cgutils.alloca_once(builder, _WORDS)
        now = _loaded(builder, place, _WORDS)
        among = builder.icmp_signed("==", now, _everywhere(builder, here, _WORDS))
        flags = ir.IntType(CASES)
        with builder.if_then(builder.icmp_unsigned("!=", builder.bitcast(among, flags), ir.Constant(flags, 0))):
            _stored(builder, _ALL, left)
            with cgutils.for_range_slice(builder, begin, end, ir.Constant(begin.type, 1)) as (split, _):
                which = builder.zext(builder.load(builder.gep(column, [split])), split.type)
                case = builder.gep(values, [builder.mul(which, ir.Constant(split.type, CASES))])
                limit = _everywhere(builder, builder.load(builder.gep(threshold, [split])), _REALS)
                # Ordered: what is missing is not on the left.
                goes_left = builder.fcmp_ordered("<=", _loaded(builder, case, _REALS), limit)
                kept = _everywhere(builder, builder.load(builder.gep(keeps, [split])), _WORDS)
                before = _loaded(builder, left, _WORDS)
                _stored(builder, builder.select(goes_left, before, builder.and_(before, kept)), left)
            count = ir.FunctionType(_WORDS, [_WORDS, _FLAG])
            trailing_zeros = cgutils.get_or_insert_function(builder.module, count, f"llvm.cttz.v{CASES}i32")
            lowest = builder.call(trailing_zeros, [_loaded(builder, left, _WORDS), ir.Constant(_FLAG, 1)])
            led = builder.add(lowest, _everywhere(builder, first, _WORDS))
            _stored(builder, builder.select(among, led, now), place)
        return context.get_dummy_value()

    return types.void(seen, splits, part, at), generate


walk: Any = intrinsic(_walk)


def _summed(rows: Values, splits: Any, parts: Any, trees: Any, out: Any) -> None:
    """Add up the values of the exits that every row comes to, shape (rows,)."""
    begin, hangs_on, first = parts
    start, part, value = trees
    features = rows.shape[1]
    # Every feature twice: where missing goes left it is below everything, else it stays missing and goes right.
    seen = np.zeros((2 * features, CASES), np.float32)
    at = np.empty(CASES, np.int32)
    total = np.empty(CASES)
    for top in range(0, len(rows), CASES):
        count = min(CASES, len(rows) - top)
        for feature in range(features):
            for case in range(count):
                seen[features + feature, case] = rows[top + case, feature]
            for case in range(CASES):
                x = seen[features + feature, case]
                seen[feature, case] = -np.inf if np.isnan(x) else x
        total[:] = 0
        for tree in range(len(start)):
            at[:] = start[tree]
            for i in range(part[tree], part[tree + 1]):
                walk(seen, splits, (begin[i], begin[i + 1], hangs_on[i], first[i]), at)
            for case in range(CASES):
                total[case] += value[at[case]]
        out[top : top + count] = total[:count]


def _array(kind: Any, dimensions: int = 1) -> Any:
    return types.Array(kind, dimensions, "C", readonly=True)


_SIGNATURE = types.void(
    _array(types.float32, 2),
    types.Tuple((_array(types.uint32), _array(types.float32), _array(types.uint32))),
    types.Tuple((_array(types.int64), _array(types.int32), _array(types.int32))),
    types.Tuple((_array(types.int32), _array(types.int64), _array(types.float64))),
    types.float64[::1],
)


def compiled(function: Any = _summed) -> Any:
    """Return the compiled function, from numba's cache where that can be read and written.

    It releases the interpreter while it runs. numba keeps the machine code beside the byte code, else in the user's
    cache folder; where it may write neither, or finds what it cannot read, the function is compiled for this process.
    """
    try:
        return numba.njit(_SIGNATURE, cache=True, nogil=True, error_model="numpy")(function)
    except Exception:  # whatever the cache stumbles over, the code itself is the same: an error of its own comes again
        return numba.njit(_SIGNATURE, nogil=True, error_model="numpy")(function)


summed = compiled()
