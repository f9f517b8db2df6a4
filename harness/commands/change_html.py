"""The comparison of two runs as one self-contained page: no script, no request to anywhere, everything escaped."""

from __future__ import annotations

from harness.core.blocks import SectionPage

PAGE = """\
{% import 'blocks.html' as blocks %}
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
</main>
</body>
</html>
"""


def page_html(page: SectionPage) -> str:
    """The whole page."""
    # The scorecard's own macros and style sheet, so that both pages look and escape alike.
    from harness.reporting.to_html import PAGE as FILES
    from harness.reporting.to_html import _environment, _markup, policy

    style = (FILES / "style.css").read_text("utf-8")
    template = _environment().from_string(PAGE)
    return str(template.render(page=page, style=_markup(style), policy=policy(style, "")))
