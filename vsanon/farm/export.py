"""A plan as a job for engines that are in use: Open Job Description, a Slurm array, and a loop of the shell."""

import shlex
from pathlib import Path
from typing import Any

import yaml

from vsanon.farm.plan import Plan

MOST_TASKS = 1000
"""Tasks of a Slurm array: its MaxArraySize is 1001 unless a site says otherwise."""

RUNTIME_S = 600
"""How long a task of Open Job Description should run, seconds: so many chunks are handed to a session at a time."""


def openjd(plan: Plan) -> str:
    """A job template (2023-09, with TASK_CHUNKING): a step with a task for each chunk, and one that joins.

    It belongs beside the plan. The scheduler hands contiguous ranges of chunks to a session, as many as fill
    `RUNTIME_S` by what it has seen so far.
    """
    return str(yaml.safe_dump(_template(plan), sort_keys=False, allow_unicode=True, width=100))


def slurm(plan: Plan) -> str:
    """A script for sbatch: an array that does the chunks; submitted once more as one task, it joins."""
    each = -(-len(plan.units) // MOST_TASKS)
    tasks = -(-len(plan.units) // each)
    return f"""\
#!/bin/sh
#SBATCH --job-name=vsanon
#SBATCH --array=0-{tasks - 1}
#SBATCH --cpus-per-task=2
#SBATCH --mem=3G
#SBATCH --requeue
# The chunks, and once all of them are done what joins them:
#   id=$(sbatch --parsable FILE)
#   sbatch --array=0 --dependency="afterok:$id" --export=ALL,VSANON_JOIN=1 FILE
# Tested under the variables that sbatch sets, without a cluster; checked by shellcheck.
set -eu
plan={_plan(plan.path)}
if [ -n "${{VSANON_JOIN:-}}" ]; then
    exec vsanon farm join "$plan"
fi
first=$((SLURM_ARRAY_TASK_ID * {each}))
last=$((first + {each} - 1))
if [ "$last" -gt {len(plan.units) - 1} ]; then
    last={len(plan.units) - 1}
fi
exec vsanon farm chunk "$plan" "$first-$last"
"""


def shell(plan: Plan) -> str:
    """A POSIX script; started on several machines at a time, they share the chunks among them."""
    return f"""\
#!/bin/sh
# Start it on as many machines as you like: each takes the next chunk that nobody does, and the first that finds all
# of them done joins them. Tested with dash, alone and twice at a time; checked by shellcheck.
set -eu
plan=${{1:-{_plan(plan.path)}}}
vsanon farm chunk --free "$plan"
exec vsanon farm join "$plan"
"""


FORMATS = {"openjd": openjd, "slurm": slurm, "shell": shell}


def _plan(path: Path) -> str:
    return shlex.quote(str(path.absolute()))


def _template(plan: Plan) -> dict[str, Any]:
    return {
        "specificationVersion": "jobtemplate-2023-09",
        "extensions": ["TASK_CHUNKING"],
        "name": f"vsanon {plan.work}",
        "description": "Tested with `openjd run`; every worker must reach the plan and what it names.",
        "parameterDefinitions": [
            {
                "name": "Plan",
                "type": "PATH",
                "objectType": "FILE",
                "dataFlow": "IN",
                "default": plan.path.name,  # relative to the template
                "description": "The plan. Sources, outputs and chunks lie where it says, relative to it.",
            }
        ],
        "steps": [
            {
                "name": "Chunks",
                "parameterSpace": {
                    "taskParameterDefinitions": [
                        {
                            "name": "Chunk",
                            "type": "CHUNK[INT]",
                            "range": f"0-{len(plan.units) - 1}",
                            "chunks": {
                                "defaultTaskCount": 1,
                                "targetRuntimeSeconds": RUNTIME_S,
                                "rangeConstraint": "CONTIGUOUS",
                            },
                        }
                    ]
                },
                "script": _script(["farm", "chunk", "{{Param.Plan}}", "{{Task.Param.Chunk}}"]),
            },
            {
                "name": "Join",
                "dependencies": [{"dependsOn": "Chunks"}],
                "script": _script(["farm", "join", "{{Param.Plan}}"]),
            },
        ],
    }


def _script(args: list[str]) -> dict[str, Any]:
    return {"actions": {"onRun": {"command": "vsanon", "args": args}}}
