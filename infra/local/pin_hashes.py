"""Adds to every requirements file the hashes of its packages, so that pip refuses a file that has changed since.

Run it after changing a version, with uv on the path: `python infra/local/pin_hashes.py [file ...]`. It keeps the pinned
versions, adds packages that only some versions of Python or platforms need, and keeps the order: the comment, the
tools, an empty line, and their dependencies.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
# The oldest Python of a file is the first of these with which its versions fit together. The runner accepts the first
# one (`python.rs`), which not every tool supports.
OLDEST = ["3.10", "3.11.5", "3.12"]


def normalize(requirement):
    """The name of a requirement's package, as indexes compare it."""
    name = requirement.split("==")[0].strip()
    return name.lower().replace("_", "-").replace(".", "-")


def read_file(text):
    """The comment of a requirements file, its tools, and all its requirements without hashes."""
    lines = text.splitlines()
    comment = [line for line in lines if line.startswith("#")]
    body = [line for line in lines if not line.startswith(("#", " "))]
    tools, dependencies = [], []
    group = tools
    for line in body:
        if not line.strip():
            group = dependencies if tools else tools
            continue
        group.append(line.removesuffix("\\").strip())
    return comment, tools, tools + dependencies


def compile_for(requirements, oldest):
    """The output of uv for this Python and newer ones, or `None` if it finds no solution."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text("\n".join(requirements) + "\n")
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", oldest, "--generate-hashes",
                   "--no-annotate", "--no-header", str(wanted)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    return done.stdout if done.returncode == 0 else None


def resolve(requirements):
    """Each package that the requirements need, as a block of lines with its hashes."""
    for oldest in OLDEST:
        output = compile_for(requirements, oldest)
        if output is not None:
            break
    else:
        sys.exit(f"The versions fit together for no Python of {OLDEST}")
    blocks = []
    for line in output.splitlines():
        if line.startswith(" "):
            blocks[-1].append(line)
        elif line.strip():
            blocks.append([line])
    return blocks


def pin(path):
    """Rewrites a requirements file with hashes."""
    comment, tools, requirements = read_file(path.read_text())
    blocks = resolve(requirements)
    names = {normalize(tool) for tool in tools}
    first = [block for block in blocks if normalize(block[0]) in names]
    rest = [block for block in blocks if normalize(block[0]) not in names]
    parts = ["\n".join([*comment, *(line for block in first for line in block)])]
    if rest:
        parts.append("\n".join(line for block in rest for line in block))
    path.write_text("\n\n".join(parts) + "\n")


def main():
    files = [Path(argument) for argument in sys.argv[1:]] or sorted(FOLDER.glob("requirements*.txt"))
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        sys.exit(f"There is no file {', '.join(missing)}")
    if shutil.which("uv") is None:
        sys.exit("uv is not on the path. Install it from https://docs.astral.sh/uv/, then run the command again.")
    for file in files:
        pin(file)
        print(f"{file.name}: pinned")


if __name__ == "__main__":
    main()
