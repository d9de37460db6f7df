"""Drives the Xero simulator with Xero's own SDK for Python, and fails if the two are incompatible.

    python tests/sdk/check_simulator.py target/debug/xero-sim

starts the simulator on a free port, logs in and works with the books. `cargo verify --only sdk` runs it with the
pinned SDK. The SDK parses every response into the types of Xero's OpenAPI description, so a number, a date or a
flag of a wrong type fails even if no check uses it.
"""

import re
import subprocess
import sys

import xero_python

from books import Books
from login import Login
from report import Report

REDIRECT_URI = "http://localhost:3000/callback"
CLIENT_ID, CLIENT_SECRET = "sdk-client", "sdk-secret"
# Xero accepts 60 calls a minute; here a minute lasts a second.
SPEED = "60"


def start(program, *options):
    """Starts the simulator on a free port. Returns the process and its URL."""
    command = [program, "--port", "0", "--redirect-uri", REDIRECT_URI, "--client-id", CLIENT_ID,
               "--client-secret", CLIENT_SECRET, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    first = process.stdout.readline()
    found = re.search(r"http://localhost:\d+", first)
    if not found:
        process.wait()
        sys.exit(f"The simulator did not print its URL: {first!r}")
    return process, found.group()


def log_in(report, base):
    """Logs in. Returns the login and the organisations by name."""
    login = Login(report, base, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI)
    with report.section("Login"):
        login.discover()
        login.consent()
        login.redeem()
    with report.section("Signatures"):
        login.verify_tokens()
    organisations = {}
    with report.section("Connections"):
        login.client()
        organisations = login.list_connections()
        login.renew()
    return login, organisations


def main(program, *options):
    report = Report()
    process, base = start(program, *(options or ("--speed", SPEED)))
    try:
        print(f"xero-python {xero_python.__version__} against {base}")
        login, organisations = log_in(report, base)
        tenant = organisations.get("Ridgeway Property Services Ltd")
        report.check("the first organisation is connected", tenant is not None, organisations)
        if tenant:
            books = Books(report, login.sdk, f"{base}/api.xro/2.0", tenant)
            for name, section in books.sections():
                with report.section(name):
                    section()
            with report.section("End"):
                login.revoke()
    finally:
        process.terminate()
        process.wait()
    return report.close()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("Usage: check_simulator.py <the simulator's program> [options of the simulator]")
    sys.exit(main(*sys.argv[1:]))
