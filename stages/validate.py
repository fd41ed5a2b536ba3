"""Stage `validate`: refuses a params.yaml that can't be run, and clears away what another one left.

DVC pastes `dataset` and `tasks` into paths, and removes a stage's outputs before it runs the stage: a task
`../../docs` would cost a directory. All other stages come after this one. What it writes is always the same,
so that none of them is run again for it.
"""

import logging

from offerbench.core import command
from offerbench.core.atomic import atomic_file
from offerbench.core.leavings import (
    SPECIALISTS_DIRECTORY,
    former_tasks,
    refuse_missing_raw_files,
    refuse_stray_models,
    remove_other_results,
    remove_tasks,
)
from offerbench.core.paths import PARAMETERS_FILE, VALIDATED_FILE
from offerbench.core.yaml_files import parse_yaml
from offerbench.parameters import load_parameters

LOG = logging.getLogger("offerbench.stages")


def main() -> None:
    """Validate the parameters, and look whether the rest can start."""
    parameters = load_parameters()
    refuse_missing_raw_files(parameters.dataset)
    # As it is written, without defaults: so DVC keeps it.
    custom = parse_yaml(PARAMETERS_FILE.read_text(encoding="utf-8"), str(PARAMETERS_FILE)).get("custom")
    last, removed = remove_other_results(parameters.dataset, custom)
    if removed:
        LOG.info("removed the results of %s, %d files and directories", last, removed)
    if former := former_tasks(parameters.tasks):
        remove_tasks(former)
        LOG.info("removed the specialists of %s, which `tasks` does not name", ", ".join(former))
    refuse_stray_models(SPECIALISTS_DIRECTORY, parameters.tasks)
    with atomic_file(VALIDATED_FILE) as temporary:
        temporary.write_text("params.yaml is valid\n", encoding="utf-8")


if __name__ == "__main__":
    command.run(main)
