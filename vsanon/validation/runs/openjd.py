"""A run as a job template of Open Job Description, whose tasks are the cells, for render farm managers."""

from typing import Any

import yaml

from vsanon.validation.runs.plan import Plan


def job_template(plan: Plan) -> dict[str, Any]:
    """The template (Open Job Description 2023-09): a step with a task for each cell, and one that gathers.

    Args:
        plan: the run. The template belongs into its folder, which every worker must reach.

    Raises:
        InputError: the matrix is none.
    """
    matrix = plan.matrix()
    return {
        "specificationVersion": "jobtemplate-2023-09",
        "name": f"vsanon validate {matrix.name}",
        "parameterDefinitions": [
            {
                "name": "Run",
                "type": "PATH",
                "objectType": "DIRECTORY",
                "dataFlow": "INOUT",
                # Relative to the template, which lies in the folder of the run.
                "default": ".",
                "description": "The folder of the run: plan, store and evidence. Shared by all workers.",
            }
        ],
        "steps": [
            {
                "name": "Cells",
                "parameterSpace": {
                    "taskParameterDefinitions": [
                        {"name": "Cell", "type": "STRING", "range": [cell.id for cell in matrix.cells()]}
                    ]
                },
                "script": _script(["validate", "cell", "--keep-going", "{{Param.Run}}", "{{Task.Param.Cell}}"]),
            },
            {
                "name": "Evidence",
                "dependencies": [{"dependsOn": "Cells"}],
                "script": _script(["validate", "collect", "{{Param.Run}}"]),
            },
        ],
    }


def dump(template: dict[str, Any]) -> str:
    """The template as YAML."""
    return str(yaml.safe_dump(template, sort_keys=False, allow_unicode=True, width=100))


def _script(args: list[str]) -> dict[str, Any]:
    return {"actions": {"onRun": {"command": "vsanon", "args": args}}}
