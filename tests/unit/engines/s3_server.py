"""S3 as moto has it, on loopback, with the variables of the environment that lead to it."""

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import fsspec
import pytest
from moto.server import ThreadedMotoServer

BUCKET = "s3://shop/log"


@contextmanager
def s3_server() -> Iterator[str]:
    """Start a server with an empty bucket; it is stopped at the end. Gives the URL of a directory."""
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    reset = urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()  # buckets outlive a server of the same process
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        fsspec.filesystem("s3").clear_instance_cache()
        fsspec.filesystem("s3").mkdir("shop")
        try:
            yield BUCKET
        finally:
            fsspec.filesystem("s3").clear_instance_cache()
            server.stop()
