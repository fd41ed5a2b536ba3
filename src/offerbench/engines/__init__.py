"""Where the work is done: on this machine, or on a Spark cluster. The engine changes no byte of a result."""
