"""Start Spark, count to ten and end: `python -m tests.spark.starts`; fails where no Spark can run."""

from offerbench.core import command
from offerbench.engines.session import spark_session
from offerbench.preparation.resources import Spark


def main() -> None:
    """Count on this machine."""
    with spark_session(Spark(master="local[1]", work_directory=".", users_per_shard=1, conf={})) as session:
        assert session.range(10).count() == 10


if __name__ == "__main__":
    command.run(main)
