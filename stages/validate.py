"""Stage `validate`: refuses a params.yaml that is not valid, before DVC touches a path made of its values.

DVC pastes `dataset` and `tasks` into paths, and removes a stage's outputs before it runs the stage: a task
`../../docs` would cost a directory. All other stages come after this one. What it writes is always the same,
so that none of them is run again for it.
"""

from offerbench.core import command
from offerbench.core.atomic import atomic_file
from offerbench.core.paths import VALIDATED_FILE
from offerbench.parameters import load_parameters


def main() -> None:
    """Validate the parameters."""
    load_parameters()
    with atomic_file(VALIDATED_FILE) as temporary:
        temporary.write_text("params.yaml is valid\n", encoding="utf-8")


if __name__ == "__main__":
    command.run(main)
