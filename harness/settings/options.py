"""Every option in one table.

The plugin's ``--harness-*`` flags, the variables ``HARNESS_*``, the keys of ``[tool.harness]`` in pyproject.toml and
the page of the docs are made from it; nothing about an option is said twice.
"""

from __future__ import annotations

from harness.settings.option import Option

OPTIONS: tuple[Option, ...] = (
    Option(
        name="agent",
        kind="text",
        metavar="SPEC",
        help="The agent: module:function, litellm:MODEL, openai:MODEL@URL, an http(s) address, or cmd:COMMAND.",
    ),
    Option(
        name="guards",
        kind="text",
        metavar="NAME=SPEC,...",
        help="Guards to score in the place of the suites' own: NAME=module:name, as the suite's file is called.",
    ),
    Option(
        name="mode",
        kind="choice",
        choices=("replay", "record", "live"),
        default="replay",
        help="replay: local agents and recordings only; record: live, and keep the replies; live: call providers.",
    ),
    Option(
        name="datasets", kind="path", metavar="DIR", default="golden_datasets", help="Folder of the golden datasets."
    ),
    Option(name="runs", kind="path", metavar="DIR", default="reports/runs", help="Folder that receives the runs."),
    Option(
        name="rules",
        kind="path",
        metavar="FILE",
        help="Rules of the release gate; default: reports/release.toml where it exists.",
    ),
    Option(
        name="baseline",
        kind="text",
        metavar="FILE|RUN",
        help="Accepted run to compare with: a file of reports/baselines, or a run id.",
    ),
    Option(
        name="reward",
        kind="text",
        metavar="SPEC",
        help="The reward function that suites/rewards and the fixture reward are about: package.module:name.",
    ),
    Option(
        name="trials", kind="integer", metavar="N", minimum=1, help="Trials of every case; default: the marker's or 1."
    ),
    Option(
        name="concurrency",
        kind="concurrency",
        metavar="N|auto",
        default="auto",
        help="Trials in flight: a number, or auto (starts at 32 and follows the providers, at most 1000).",
    ),
    Option(name="deadline_s", kind="seconds", metavar="S", help="Seconds a trial may take; default: no limit."),
    Option(name="budget_usd", kind="dollars", metavar="USD", help="Money cap of the run, US dollars; default: none."),
    Option(
        name="seed", kind="integer", metavar="N", default=0, minimum=0, help="Seed that every trial's seed comes from."
    ),
    Option(
        name="redact",
        kind="choice",
        choices=("secrets", "personal", "off"),
        default="secrets",
        help="What the journal keeps out: secrets; personal (secrets and personal data); off.",
    ),
    Option(
        name="judges",
        kind="path",
        metavar="DIR",
        default="reports/judges",
        help="Folder of the judges' exam records, which harness calibrate writes.",
    ),
    Option(
        name="judge_cache",
        kind="path",
        metavar="FILE|off",
        default="reports/runs/judge-cache.sqlite",
        help="SQLite file that keeps the verdicts of judges; off: keep none.",
    ),
    Option(name="resume", kind="text", metavar="RUN", table=False, help="Continue a run: only what is missing is run."),
    Option(
        name="replay",
        kind="path",
        metavar="FILE",
        table=False,
        help="Recorded trajectories to judge instead of running an agent.",
    ),
    Option(
        name="until_decided",
        kind="switch",
        default=False,
        help="Stop the trials of a suite once every rule on its pass rate, also against a baseline, is decided.",
    ),
    Option(
        name="sensitivity",
        kind="switch",
        default=False,
        table=False,
        help="Put faults into every trial that passed, and report which of them the suites notice.",
    ),
    Option(
        name="sensitivity_of",
        kind="text",
        metavar="FOLDER",
        table=False,
        help="Put faults into the trajectories of a stored run, without its agent (harness sensitivity RUN).",
    ),
    Option(name="estimate", kind="switch", default=False, table=False, help="Price the run without running it."),
    Option(
        name="prices",
        kind="prices",
        flag=False,
        help="Prices per model, US dollars per million tokens: input, output and, optionally, cached.",
    ),
    Option(
        name="limits",
        kind="limits",
        flag=False,
        help="Limits per provider: requests_per_minute, tokens_per_minute, in_flight.",
    ),
    Option(
        name="alerts",
        kind="alerts",
        flag=False,
        help="Limits of harness history --alerts in percent: drop, errors, cost; and a webhook that is told.",
    ),
)
"""Every option, in the order of the docs."""

BY_NAME: dict[str, Option] = {option.name: option for option in OPTIONS}
