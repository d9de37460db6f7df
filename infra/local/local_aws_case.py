"""A local AWS of its own for each test: MiniStack with the rules of this folder."""

import io
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config


# Only ends a wait for what never happens: other checks use the machine meanwhile, at the same or a higher priority.
PATIENCE_SECONDS = 600
# How often a free port is looked for.
STARTS_MAX = 5


def package_bootstrap(source):
    """The package of a function whose bootstrap is this program in Python, which names its interpreter as `{python}`."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        file = zipfile.ZipInfo("bootstrap")
        file.external_attr = 0o755 << 16
        archive.writestr(file, source.format(python=sys.executable))
    return package.getvalue()


class LocalAwsCase(unittest.TestCase):
    """Starts the local AWS before each test, and ends it afterwards."""

    # Environment variables of the local AWS beside the usual ones.
    settings = {}

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.log = open(Path(scratch.name) / "log", "w+b")
        self.addCleanup(self.log.close)
        for _ in range(STARTS_MAX):
            self.start(scratch.name)
            self.wait(lambda: self.process.poll() is not None or self.answers(), "the local AWS to answer")
            # Another process may get a free port before the local AWS opens it.
            if self.process.poll() is None or "already in use" not in self.said():
                break
        self.assertIsNone(self.process.poll(), self.said()[-3000:])

    def start(self, scratch):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "localhost",
                    "MINISTACK_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-2",
                    "AWS_ENDPOINT_URL": self.endpoint, "TMPDIR": scratch, "IOT_MTLS_ENABLED": "0",
                    "SFTP_ENABLED": "0", "PERSIST_STATE": "0", "PYTHONUNBUFFERED": "1",
                    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        script = Path(__file__).with_name("local_aws.py")
        environment = {**os.environ, **settings, **self.settings}
        self.process = subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=self.log,
                                        stderr=self.log, env=environment, start_new_session=True)
        self.addCleanup(self.end)

    def end(self):
        # Closing this pipe ends the local AWS and its functions.
        self.process.stdin.close()
        self.process.wait()

    def said(self):
        self.log.flush()
        return Path(self.log.name).read_text(errors="replace")

    def wait(self, condition, what):
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends_at:
            found = condition()
            if found:
                return found
            time.sleep(0.1)
        self.fail(f"Timed out while waiting for {what}:\n{self.said()[-3000:]}")

    def answers(self):
        try:
            return urllib.request.urlopen(f"{self.endpoint}/_ministack/health").status == 200
        except OSError:
            return False

    def client(self, service, key="test"):
        """A client of the root user; with another key, one that the rules take for a function."""
        config = Config(retries={"max_attempts": 0}, read_timeout=PATIENCE_SECONDS, s3={"addressing_style": "path"})
        return boto3.client(service, endpoint_url=self.endpoint, region_name="eu-west-2", config=config,
                            aws_access_key_id=key, aws_secret_access_key="test")
