"""Fuzzes the settings API with schemathesis, as an Owner and as a Member.

    API_URL=... OWNER_TOKEN=... MEMBER_TOKEN=... python tests/api/check_api.py

reads the OpenAPI document from the API and sends valid and invalid requests to every route. It fails if a response is
not described, has another form than described, or is an error of the server, and if a Member changes something.
`cargo verify --only api` runs it against the local stack.
"""

import os
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).parent
# Schemathesis is installed beside the Python that runs this.
PROGRAM = pathlib.Path(sys.executable).parent / "schemathesis"
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "a_member_changes_nothing",
]
# The same requests in every run.
SEED = "1"


def fuzz(role, token, *options):
    """Runs schemathesis with the token of a role. Returns whether it found nothing."""
    api = os.environ["API_URL"]
    command = [
        PROGRAM, "--no-color", "run", f"{api}/v1/openapi.json", "--url", api, "--phases", "examples,fuzzing",
        "--header", f"Authorization: Bearer {token}", "--checks", ",".join(CHECKS), "--max-examples", "25",
        "--seed", SEED, "--no-shrink", "--request-timeout", "35", "--warnings", "off", *options,
    ]
    print(f"As {role}", flush=True)
    environment = {**os.environ, "API_ROLE": role, "SCHEMATHESIS_HOOKS": "checks", "PYTHONPATH": str(FOLDER)}
    # Schemathesis keeps what it learns in the folder in which it runs.
    folder = os.environ.get("API_SCRATCH", ".")
    return subprocess.run(command, env=environment, cwd=folder, check=False).returncode == 0


def main():
    # Without a connection, most routes have nothing to do, so the Owner does not end it.
    owner = fuzz("Owner", os.environ["OWNER_TOKEN"], "--exclude-operation-id", "disconnect_account")
    member = fuzz("Member", os.environ["MEMBER_TOKEN"])
    sys.exit(0 if owner and member else 1)


if __name__ == "__main__":
    main()
