"""Reports as one self-contained HTML page: no script that it needs, no request to a network."""

from html import escape
from pathlib import Path

from latex2mathml.converter import convert

from funcgrad.report.figure import residual_figure
from funcgrad.report.json import plain

_STYLE = Path(__file__).with_name("style.css")
# What a status is shown as: a group to filter by, and a sign for those who do not see colours.
_GROUPS = {
    "consistent": ("holds", "✓"),
    "exact": ("holds", "✓"),
    "refuted": ("fails", "✗"),
    "control-undetected": ("fails", "✗"),
    "inconclusive": ("open", "?"),
    "vacuous": ("open", "?"),
    "not applicable": ("none", "–"),
}
_FILTERS = (
    ("all", "all theorems"),
    ("holds", "those that hold"),
    ("fails", "those that do not"),
    ("open", "those left open"),
    ("none", "those that do not apply"),
)

# Printing shows what is folded.
_SCRIPT = 'addEventListener("beforeprint",()=>document.querySelectorAll("details").forEach(d=>d.open=true))'


def report_html(report):
    """Return a `Report` as an HTML page.

    Examples
    --------
    >>> from funcgrad.report.record import Report
    >>> report_html(Report("funcgrad verify", 0, "quick", ()))[:15]
    '<!doctype html>'
    """
    data = plain(report.as_dict())
    body = [_head(data), _overview(data), *(_theorem(verdict, data) for verdict in data["verdicts"])]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>funcgrad: what was verified</title>\n"
        '<link rel="icon" href="data:,">\n'
        f"<style>\n{_STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + f"\n<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


# --- the top ------------------------------------------------------------------------------------------


def _head(data):
    problem = data["problem"]
    about = (
        "on built-in instances"
        if problem is None
        else f"on the problem <code>{escape(problem['model'])}</code>"
    )
    notice = ""
    if not data["complete"]:
        names = ", ".join(f"<code>{escape(id)}</code>" for id in data["unchecked"])
        notice = (
            f'<p class="notice"><strong>Interrupted.</strong> {len(data["unchecked"])} theorems were not '
            f"checked: {names}.</p>"
        )
    return (
        '<a class="skip" href="#overview">Skip to the overview</a>\n<main>\n'
        f"<h1>What was verified</h1>\n"
        f'<p class="lead">Theorems about gradients in function space, checked numerically {about}: '
        f"{escape(data['summary'])}.</p>\n{notice}"
        '<p class="soft">Nothing here is a proof. A statement <em>holds</em> when its residual goes to zero '
        "under refinement as the theorem says, or sits at the rounding floor, and every negative control, a "
        "nearby false statement, fails as predicted.</p>\n"
        f"{_problem(problem)}{_provenance(data)}"
    )


def _problem(problem):
    if problem is None:
        return ""
    values = ", ".join(f"{name} = {value:g}" for name, value in problem["parameters"].items())
    rows = {
        "model": f"<code>{escape(problem['model'])}</code>",
        "parameters": escape(values),
        "data": f"{len(problem['y'])} points",
        "domain": escape(problem["domain"]),
        "metric": escape(problem["metric"]),
        "loss": escape(problem["loss"]),
    }
    return f"<dl>{''.join(f'<dt>{key}</dt><dd>{value}</dd>' for key, value in rows.items())}</dl>\n"


def _provenance(data):
    versions = "".join(
        f"<dt>{escape(key)}</dt><dd>{escape(str(value))}</dd>" for key, value in data["provenance"].items()
    )
    return (
        f"<p>Reproduce it: <code>{escape(data['command'])}</code></p>\n"
        f"<details><summary>Versions and machine</summary>\n<dl><dt>seed</dt><dd>{data['seed']}</dd>"
        f"<dt>budget</dt><dd>{escape(data['budget'])}</dd>{versions}</dl></details>\n"
    )


def _overview(data):
    present = {_group(verdict) for verdict in data["verdicts"]} | {"all"}
    choices = "".join(
        f'<label><input type="radio" name="show" id="show-{key}"{" checked" if key == "all" else ""}>'
        f"{text}</label>"
        for key, text in _FILTERS
        if key in present
    )
    rows = "".join(_overview_row(verdict) for verdict in data["verdicts"])
    return (
        f'<fieldset class="filter"><legend>Show</legend>{choices}</fieldset>\n'
        '<div class="wide"><table class="overview" id="overview"><caption>Overview</caption>\n'
        '<thead><tr><th scope="col">Theorem</th><th scope="col">Status</th>'
        '<th scope="col" class="number optional">Instances</th>'
        '<th scope="col" class="number">Controls</th>'
        '<th scope="col" class="optional">Expected</th></tr></thead>\n'
        f"<tbody>{rows}</tbody></table></div>\n"
    )


def _overview_row(verdict):
    controls = [control["detected"] for case in verdict["instances"] for control in case["controls"]]
    expectations = list(dict.fromkeys(case["expectation"] for case in verdict["instances"]))
    expected = "; ".join(expectations[:2]) + ("; …" if len(expectations) > 2 else "")
    return (
        f'<tr data-group="{_group(verdict)}"><td><a href="#{verdict["id"]}">{verdict["id"]}</a></td>'
        f'<td>{_badge(verdict)}</td><td class="number optional">{len(verdict["instances"])}</td>'
        f'<td class="number">{sum(controls)}/{len(controls)}</td>'
        f'<td class="optional">{escape(expected)}</td></tr>\n'
    )


def _group(verdict):
    return _GROUPS[verdict["shown_status"]][0]


def _badge(verdict, status=None):
    group, sign = _GROUPS[status or verdict["shown_status"]]
    text = escape(status or verdict["shown_status"])
    return f'<span class="status {group}"><span aria-hidden="true">{sign}</span> {text}</span>'


# --- a theorem ----------------------------------------------------------------------------------------

_KEY = (
    '<ul class="key" aria-hidden="true">'
    '<li><svg viewBox="0 0 36 12"><polyline class="claim" points="0,6 36,6"/><circle class="claim" cx="18" '
    'cy="6" r="3.2"/></svg>the claim</li>'
    '<li><svg viewBox="0 0 36 12"><polyline class="control" points="0,6 36,6"/></svg>controls, which must '
    "fail</li>"
    '<li><svg viewBox="0 0 36 12"><polyline class="slope" points="0,6 36,6"/></svg>expected slope</li>'
    '<li><svg viewBox="0 0 36 12"><polyline class="floor" points="0,6 36,6"/></svg>rounding floor</li></ul>'
)


def _theorem(verdict, data):
    id = verdict["id"]
    parts = [
        f'<section class="theorem" id="{id}" data-group="{_group(verdict)}" aria-labelledby="{id}-title">',
        f'<header><h2 id="{id}-title">{id}</h2>{_badge(verdict)}</header>',
        f"<p>{escape(verdict['statement'])}</p>",
        f'<div class="formula" tabindex="0" role="group" aria-label="Formula">'
        f"{convert(verdict['latex'], display='block')}</div>",
        f'<p class="soft">Source: {escape(verdict["source"])}.</p>',
    ]
    if verdict["error"]:
        parts.append(f'<p class="notice"><strong>Ended by an error.</strong> {escape(verdict["error"])}</p>')
    if verdict["instances"]:
        figures = "".join(f"<li>{_figure(case)}</li>" for case in verdict["instances"])
        parts.append(f'<h3>Residuals under refinement</h3>{_KEY}<ul class="instances">{figures}</ul>')
        tables = "".join(_case(case) for case in verdict["instances"])
        count = len(verdict["instances"])
        parts.append(
            f"<details><summary>Hypotheses, levels and controls of the {_counted(count, 'instance')}"
            f"</summary>{tables}</details>"
        )
    parts.append(_not_checked(verdict))
    parts.append(f"<p>Reproduce it: <code>{escape(_reproduction(verdict, data))}</code></p></section>")
    return "\n".join(parts)


def _figure(case):
    detected = sum(control["detected"] for control in case["controls"])
    message = f"{case['message']}; controls {detected}/{len(case['controls'])} detected"
    label = f"{case['label']}: residual against h. {case['status']}: {message}"
    oracle = ""
    if case["oracle"] is not None:
        oracle = "; closed form " + ("agrees" if case["oracle"]["status"] == "exact" else "disagrees")
    return (
        f"<figure>{residual_figure(case, case['controls'], label)}<figcaption><b>{escape(case['label'])}</b>"
        f"{_badge(case, case['status'])} <small>{escape(message + oracle)}</small></figcaption></figure>"
    )


def _case(case):
    hypotheses = "".join(
        f'<li>{escape(name)} <span class="soft">(margin {_number(margin, 3)})</span></li>'
        for name, margin in case["hypotheses"].items()
    )
    hypotheses = f"<p>Hypotheses:</p><ul>{hypotheses}</ul>" if hypotheses else ""
    controls = "".join(
        _levels(
            control,
            f"Control: {control['name']} (breaks: {control['breaks']}). "
            f"{'Detected' if control['detected'] else 'UNDETECTED'}: {control['message']}; "
            f"expected: {control['expectation']}.",
        )
        for control in case["controls"]
    )
    oracle = ""
    if case["oracle"] is not None:
        oracle = _levels(case["oracle"], f"Closed form: {case['oracle']['message']}.")
    caption = f"Claim: {case['message']}; expected: {case['expectation']}."
    if case["spread"] is not None:
        caption += f" Spread of the local orders: {_number(case['spread'], 2)}."
    return (
        f"<h3>{escape(case['label'])}</h3>{hypotheses}"
        f'<div class="pair"><div>{_levels(case, caption)}{oracle}</div><div>{controls}</div></div>'
    )


def _levels(series, caption):
    rows = "".join(
        f'<tr{"" if level["used"] else " class=unused"}><td class="number">{_number(level["h"], 3)}</td>'
        f'<td class="number">{level["unknowns"]}</td><td class="number">{_number(level["residual"], 3)}</td>'
        f'<td class="number">{_number(level["floor"], 2)}</td>'
        f'<td class="number">{"" if level["local_order"] is None else _fixed(level["local_order"])}</td>'
        f"<td>{'yes' if level['used'] else 'no'}</td></tr>"
        for level in series["levels"]
    )
    heads = "".join(
        f'<th scope="col" class="number">{name}</th>'
        for name in ("h", "unknowns", "residual", "floor", "order")
    )
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>'
        f'<thead><tr>{heads}<th scope="col">used</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _not_checked(verdict):
    """What the verdict does not rest on, in words."""
    items = [
        f"{escape(entry['label'])}: does not apply, {escape(entry['reason'])}."
        for entry in verdict["does_not_apply"]
    ]
    if verdict["instances"]:
        finest = min(level["h"] for case in verdict["instances"] for level in case["levels"])
        items.append(
            f"Other instances than {_counted(len(verdict['instances']), 'this', 'these {}')}, and levels "
            f"finer than h = {_number(finest, 2)}."
        )
        unused = sum(not level["used"] for case in verdict["instances"] for level in case["levels"])
        if unused:
            items.append(f"{_counted(unused, 'level')} that the judgement does not rest on, marked “no”.")
    if not items:
        return ""
    return f"<h3>Not checked</h3><ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def _reproduction(verdict, data):
    if data["problem"] is not None:
        return f"{data['command']}   # with {verdict['id']} after verify"
    budget = " --budget full" if verdict["budget"] == "full" else ""
    return f"funcgrad verify {verdict['id']} --seed {verdict['seed']}{budget}"


def _counted(count, one, many=None):
    if count == 1:
        return one if many else f"1 {one}"
    return many.format(count) if many else f"{count} {one}s"


def _number(value, digits):
    return f"{value:.{digits}g}" if isinstance(value, float | int) else str(value)


def _fixed(value):
    return f"{value:.2f}" if isinstance(value, float | int) else str(value)
