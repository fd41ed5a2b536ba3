"""The one exception that a user is meant to read."""


class OfferbenchError(Exception):
    """Something the user can put right: names the file, the row or the key, and what to do.

    A stage prints its message without a trace-back and exits with status 2.
    """


class LostReplicaError(OfferbenchError):
    """Another process of this training has ended, and this one can't go on alone."""
