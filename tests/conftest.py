"""Settings of all tests of the harness: properties without deadlines, and libraries that must be loaded only once.

An inner pytest session inside this process takes what it imported out of ``sys.modules`` at its end. A library that is
then imported a second time has classes of its own: markup made by one markupsafe is no markup to the other, and is
escaped twice. What is loaded here, before any inner session, stays the one and only.
"""

from __future__ import annotations

import aiohttp
import jinja2
import jsonschema
import markupsafe
import numpy
import scipy.special
import yaml
from hypothesis import HealthCheck, settings

import harness.reporting.to_html

settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")

LOADED_ONCE = (aiohttp, harness, jinja2, jsonschema, markupsafe, numpy, scipy, yaml)
