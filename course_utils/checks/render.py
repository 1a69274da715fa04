"""A verdict as the student reads it: plain text, and HTML for Jupyter and the feedback pages."""

from __future__ import annotations

from html import escape

from course_utils.checks.verdict import Finding, Verdict

WIDTH = 78
# Colour is never the only sign: every line also carries ✓ or ✗.
STYLE = {
    "box": "border-left:4px solid {edge};padding:.45em .9em;margin:.3em 0;line-height:1.55;max-width:62em",
    "ok": "#0072B2",
    "bad": "#D55E00",
    "mute": "opacity:.75",
}


def points_text(verdict: Verdict) -> str:
    """ "6 of 8 points", without decimals that say nothing."""
    return f"{verdict.score:g} of {verdict.max_score:g} point{'' if verdict.max_score == 1 else 's'}"


def next_step(verdict: Verdict) -> str:
    """Where to look next; empty when everything passed."""
    if verdict.passed:
        return ""
    if verdict.unwritten:
        return f"Write it in the cell above and run both cells. hint({verdict.exercise}) gives a first idea."
    return f"hint({verdict.exercise}) goes further, one step at a time."


def as_text(verdict: Verdict) -> str:
    """The verdict in plain text, a line per failed aspect, the misconception and where to look."""
    head = verdict.exercise + points_text(verdict).rjust(max(WIDTH - len(verdict.exercise), 20))
    lines = [head]
    if verdict.reason:
        lines.append("  " + verdict.reason)
    else:
        passed = [f"✓ {aspect}" for aspect, ok in verdict.aspects.items() if ok]
        if passed:
            lines += ["  " + line for line in _wrap(passed)]
        failed = failed_together(verdict)
        width = max(len(names) for names, _ in failed) if failed else 0
        for names, finding in failed:
            context = f"   ({finding.context})" if finding.context else ""
            lines.append(f"  ✗ {names.ljust(width)}  {finding.text}{context}")
    if verdict.misconception:
        lines += ["  " + verdict.misconception.explanation, "  " + verdict.misconception.question]
    if verdict.cause:
        lines.append("  " + verdict.cause)
    lines += [f"  note: {note}" for note in verdict.notes]
    if step := next_step(verdict):
        lines.append("  " + step)
    return "\n".join(lines)


def _wrap(items: list[str]) -> list[str]:
    lines: list[str] = []
    for item in items:
        if lines and len(lines[-1]) + len(item) + 3 <= WIDTH:
            lines[-1] += "   " + item
        else:
            lines.append(item)
    return lines


def failed_together(verdict: Verdict) -> list[tuple[str, Finding]]:
    """The failed aspects with what went wrong; those that fail with the same sentence share a line."""
    together: dict[str, tuple[list[str], Finding]] = {}
    for aspect, passed in verdict.aspects.items():
        if not passed:
            finding = verdict.findings.get(aspect, Finding(""))
            together.setdefault(finding.text, ([], finding))[0].append(aspect)
    return [(" · ".join(names), finding) for names, finding in together.values()]


def as_html(verdict: Verdict) -> str:
    """The verdict as HTML with inline styles only; everything that came from the student is escaped."""
    edge = STYLE["ok"] if verdict.passed else STYLE["bad"]
    rows = [
        f"<div><b><code>{escape(verdict.exercise)}</code></b> "
        f"<span style='{STYLE['mute']}'>&nbsp;·&nbsp; {points_text(verdict)}</span></div>"
    ]
    if verdict.reason:
        rows.append(f"<div>{escape(verdict.reason)}</div>")
    else:
        passed = [
            f"<span style='white-space:nowrap'>{_mark(True)} {escape(a)}</span>"
            for a, ok in verdict.aspects.items()
            if ok
        ]
        if passed:
            rows.append(f"<div>{' &nbsp; '.join(passed)}</div>")
        for names, finding in failed_together(verdict):
            context = f" <span style='{STYLE['mute']}'>({escape(finding.context)})</span>" if finding.context else ""
            rows.append(f"<div>{_mark(False)} <b>{escape(names)}</b> &nbsp; {escape(finding.text)}{context}</div>")
    if verdict.misconception:
        rows.append(
            f"<div style='margin-top:.4em'><b>{escape(verdict.misconception.explanation)}</b><br>"
            f"{escape(verdict.misconception.question)}</div>"
        )
    if verdict.cause:
        rows.append(f"<div style='margin-top:.4em'>{escape(verdict.cause)}</div>")
    rows += [f"<div style='{STYLE['mute']}'>note: {escape(note)}</div>" for note in verdict.notes]
    if step := next_step(verdict):
        rows.append(f"<div style='{STYLE['mute']}'>{call_as_code(step)}</div>")
    box = STYLE["box"].format(edge=edge)
    return (
        f"<div class='bp-verdict {'bp-passed' if verdict.passed else 'bp-failed'}' style='{box}'>{''.join(rows)}</div>"
    )


def _mark(passed: bool) -> str:
    """✓ or ✗. The mark alone is coloured: no colour is readable as text on both a white and a black page."""
    return f"<b style='color:{STYLE['ok' if passed else 'bad']}'>{'✓' if passed else '✗'}</b>"


def call_as_code(step: str) -> str:
    """Marks a call such as hint(name) as code."""
    start = step.find("hint(")
    if start < 0:
        return escape(step)
    end = step.find(")", start) + 1
    return f"{escape(step[:start])}<code>{escape(step[start:end])}</code>{escape(step[end:])}"
