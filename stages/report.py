"""Stage `report`: results -> tables and pictures."""

from offerbench.core import command
from offerbench.parameters import load_parameters
from offerbench.report.write import write_report


def main() -> None:
    """Show what `evaluate` measured."""
    print(write_report(load_parameters()))


if __name__ == "__main__":
    command.run(main)
