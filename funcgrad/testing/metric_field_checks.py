"""Checks of metrics that depend on their base point: what `at` must keep to, besides giving metrics."""

import copy

from funcgrad.testing.conformance import Trial, changed, check_of, snapshot


def no_stale_base(subject, rng):
    """The metric at a function does not depend on where the field of metrics was taken before."""
    field, base, u = subject.field, subject.base, subject.functions[-1]
    there = subject.object.inner(u, u)
    elsewhere = field.at(2 * base).inner(u, u)
    message = "the metric at f changed when the field was taken at 2f: does `at` return one object, changed?"
    yield Trial({"f": base}, abs(subject.object.inner(u, u) - there), 0.0, message)
    message = "the metric at f is another after the field was taken at 2f: is the last base point kept?"
    yield Trial({"f": base}, abs(field.at(base).inner(u, u) - there), 0.0, message)
    if subject.untouched is None:
        return
    fresh = copy.deepcopy(subject.untouched).at(2 * base).inner(u, u)
    message = (
        f"the metric at 2f has <u, u> = {elsewhere:.9g} after one at f, and {fresh:.9g} if asked first: is "
        "what was made for the first base point kept?"
    )
    yield Trial({"f": 2 * base, "u": u}, abs(elsewhere - fresh), 0.0, message)


def base_unchanged(subject, rng):
    """The base point is not written to."""
    # Of 2f, not f: that of which `at` has made something else already would not change again.
    u, base = subject.functions[-1], 2 * subject.base
    copies = snapshot(base.values)
    metric = subject.field.at(base)
    metric.inner(u, u)
    metric.riesz(metric.flat(u), subject.grid)
    yield Trial({"f": base}, changed((base.values,), copies), 0.0, "the values of the base point f changed")


METRIC_FIELD_CHECKS = [
    check_of("field-stale", no_stale_base, "inner"),
    check_of("field-inputs", base_unchanged, "inner", "flat", "riesz"),
]
