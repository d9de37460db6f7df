"""Writes the bill of materials of a release: every package that is part of what is deployed, in CycloneDX's format.

It contains the crates of the functions, without those that only tests and builds use, as `Cargo.lock` pins them, and the
npm packages of the pages. It goes to `target/bill-of-materials.cdx.json`, or to the path that is given.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The platform that is deployed.
PLATFORM = "aarch64-unknown-linux-gnu"
PAGES = ROOT / "functions/pages/web/package-lock.json"


def read_metadata():
    """Cargo's description of the workspace and its dependencies."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", PLATFORM]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def find_deployed(metadata):
    """The packages of the functions and what they are linked with."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    members = (packages[member] for member in metadata["workspace_members"])
    waiting = [member["id"] for member in members if "/functions/" in member["manifest_path"]]
    if not waiting:
        sys.exit("the workspace has no functions")
    found = set()
    while waiting:
        package = waiting.pop()
        if package in found:
            continue
        found.add(package)
        for dependency in nodes[package]["deps"]:
            # A dependency without a kind is a normal one; the others are for tests and for building.
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    return [packages[package] for package in sorted(found)]


def describe_crate(package, checksums):
    """A crate as a component."""
    name, version = package["name"], package["version"]
    component = {"type": "library", "name": name, "version": version, "purl": f"pkg:cargo/{name}@{version}"}
    if package.get("license"):
        # Older crates separate alternatives with a slash.
        component["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    checksum = checksums.get((name, version))
    if checksum:
        component["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return component


def read_checksums(lock):
    """The checksums in `Cargo.lock` by name and version."""
    checksums = {}
    for block in lock.split("[[package]]")[1:]:
        fields = dict(line.split(" = ", 1) for line in block.splitlines() if " = " in line)
        values = {key: value.strip('"') for key, value in fields.items()}
        if "checksum" in values:
            checksums[values["name"], values["version"]] = values["checksum"]
    return checksums


def describe_npm(lock):
    """The npm packages of the bundle as components."""
    components = []
    for path, package in sorted(lock["packages"].items()):
        if not path or package.get("dev"):
            continue
        name, version = path.rsplit("node_modules/", 1)[1], package["version"]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{version}"
        component = {"type": "library", "name": name, "version": version, "purl": purl}
        if package.get("license"):
            component["licenses"] = [{"expression": package["license"]}]
        components.append(component)
    return components


def make_bill(metadata, cargo_lock, npm_lock, commit):
    """The bill of materials of a commit."""
    checksums = read_checksums(cargo_lock)
    components = [describe_crate(package, checksums) for package in find_deployed(metadata)]
    components += describe_npm(npm_lock)
    product = {"type": "application", "name": "servicecortex-xero", "version": commit}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": product},
        "components": components,
    }


def main():
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "target/bill-of-materials.cdx.json"
    asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    commit = asked.stdout.strip() or "unknown"
    bill = make_bill(read_metadata(), (ROOT / "Cargo.lock").read_text(), json.loads(PAGES.read_text()), commit)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(bill, indent=2) + "\n")
    print(f"{len(bill['components'])} components of {commit[:12]} in {path}")


if __name__ == "__main__":
    main()
