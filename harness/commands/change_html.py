"""The comparison of two runs as one self-contained page: no script, no request to anywhere, everything escaped."""

from __future__ import annotations

from collections.abc import Sequence

from harness.commands.change_sides import Sides
from harness.core.blocks import SectionPage

PAGE = """\
{% import 'blocks.html' as blocks %}
{% macro step(item, side) -%}
{% if item is none %}<div class="step gone"></div>
{% else %}<div class="step {{ 'said' if item.who in ('user', 'assistant', 'system') else item.who }}
{{- ' by-user' if item.who == 'user' }}{{ ' failed' if item.broken }}">
<p class="who">{% if side %}<span class="which">{{ side }} · </span>{% endif %}{{ item.who }}
{%- if item.head %} <b>{{ item.head }}</b>{% endif %}</p>
{% if item.text %}<pre>{{ item.text }}</pre>{% endif %}
</div>{% endif %}
{%- endmacro %}
{% macro end(side, word) -%}
{% if side is none %}<p class="prose tone-muted">The {{ word }} run has no such trial any more.</p>
{% else %}<p class="who"><b class="tone-{{ 'good' if side.outcome == 'passed' else 'bad' }}">{{ side.outcome }}</b>
in the {{ word }} run, trial {{ side.trial }}; {{ side.facts }}</p>
{% if side.reason %}<pre class="reason">{{ side.reason }}</pre>{% endif %}{% endif %}
{%- endmacro %}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{{ page.title }}</title>
<link rel="icon" href="data:,">
<style>{{ style }}</style>
</head>
<body>
<main id="main">
<section id="{{ page.id }}" aria-labelledby="title">
<h2 id="title">{{ page.title }}</h2>
{% for block in page.blocks %}{{ blocks.render(block) }}
{% endfor %}
</section>
{% if sides %}
<section id="trajectories" aria-labelledby="trajectories-title">
<h2 id="trajectories-title">What flipped, side by side</h2>
<p class="prose tone-muted">One trial of each run; what both begin with is folded.
{%- if more %} {{ more }} more flipped cases are not shown here; the journals have them.{% endif %}</p>
{% for item in sides %}
<details class="sides">
<summary><b class="tone-{{ 'bad' if item.worse else 'good' }}">{{ 'worse' if item.worse else 'better' }}</b>
<span class="id">{{ item.case_id }}</span> <span class="flip">{{ item.text }}</span>
<span class="in">{{ item.suite }}</span></summary>
<div class="pair head"><div>{{ end(item.old, 'old') }}</div><div>{{ end(item.new, 'new') }}</div></div>
{% if item.same %}
<details class="both"><summary>{{ item.same }} step{{ '' if item.same == 1 else 's' }} the same in both</summary>
{% for one in item.common() %}{{ step(one, '') }}
{% endfor %}</details>
{% endif %}
{% set rows = item.rows() %}
{% if not rows %}<p class="prose tone-muted">Both trials took the same steps; what judged them differs.</p>{% endif %}
{% for left, right in rows %}
<div class="pair{{ ' alike' if left == right }}">{{ step(left, 'old') }}{{ step(right, 'new') }}</div>
{% endfor %}
</details>
{% endfor %}
</section>
{% endif %}
</main>
</body>
</html>
"""

STYLE = """
.sides { border: 1px solid var(--line); border-radius: 10px; margin-bottom: 6px; }
.sides[open] { border-color: var(--strong); }
.sides > summary { padding: 8px 14px; cursor: pointer; overflow-wrap: anywhere; }
.sides > summary:hover { background: var(--raised); }
.sides .id { font-weight: 600; margin: 0 8px; } .sides .flip { margin-right: 8px; }
.sides .in { color: var(--soft); font-size: 12.5px; }
.pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 10px; padding: 4px 14px; }
.pair.head { padding-top: 8px; border-top: 1px solid var(--line); } .pair.alike { opacity: .72; }
.sides > :last-child { padding-bottom: 14px; }
.both { margin: 4px 14px; } .both > summary { cursor: pointer; color: var(--soft); font-size: 13px; padding: 4px 0; }
.both .step { margin-bottom: 6px; }
.sides .step { margin-top: 0; }
.step { border: 1px solid var(--line); border-radius: 8px; padding: 6px 11px 8px; background: var(--surface); }
.step.gone { border-style: dashed; background: none; min-height: 20px; }
.step.said { background: var(--raised); } .step.by-user { background: var(--accent-wash); border-color: transparent; }
.step.call { border-left: 3px solid var(--s2); }
.step.result { border-left: 3px solid var(--line); color: var(--soft); }
.step.failed { border-left-color: var(--bad-mark); } .step.notice { border-style: dashed; color: var(--soft); }
.sides .who { margin: 0 0 3px; font-size: 12px; color: var(--soft); overflow-wrap: anywhere; }
.sides .who b { font-weight: 600; color: var(--ink); } .sides .who b.tone-bad { color: var(--bad); }
.sides .who b.tone-good { color: var(--good); }
.sides pre { max-height: 300px; } .sides pre.reason { color: var(--soft); max-height: 160px; }
.which { display: none; }
@media (max-width: 640px) {
  .pair { grid-template-columns: minmax(0, 1fr); gap: 6px; padding: 4px 10px; } .step.gone { display: none; }
  .which { display: inline; font-weight: 600; }
}
@media print { .sides:not([open]) { display: none; } .sides pre { max-height: none; } }
"""


def page_html(page: SectionPage, sides: Sequence[Sides] = (), more: int = 0) -> str:
    """The whole page.

    :param sides: flipped cases with both trajectories.
    :param more: flipped cases without.
    """
    # The scorecard's own macros and style sheet, so that both pages look and escape alike.
    from harness.reporting.to_html import PAGE as FILES
    from harness.reporting.to_html import _environment, _markup, policy

    style = (FILES / "style.css").read_text("utf-8") + STYLE
    template = _environment().from_string(PAGE)
    return str(template.render(page=page, style=_markup(style), policy=policy(style, ""), sides=sides, more=more))
