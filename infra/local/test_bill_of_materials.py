"""The bill of materials lists what is deployed, and nothing that only tests and builds use."""

import unittest

import bill_of_materials


def package(name, manifest_path="/registry/Cargo.toml", licence="MIT/Apache-2.0"):
    return {"id": name, "name": name, "version": "1.0.0", "license": licence, "manifest_path": manifest_path}


def dependency(name, kind=None):
    return {"pkg": name, "dep_kinds": [{"kind": kind, "target": None}]}


METADATA = {
    "packages": [
        package("sweep", "/project/functions/sweep/Cargo.toml", None),
        package("tests", "/project/tests/Cargo.toml", None),
        *(package(name) for name in ["serde", "serde_core", "proptest", "cc"]),
    ],
    "workspace_members": ["sweep", "tests"],
    "resolve": {"nodes": [
        {"id": "sweep", "deps": [dependency("serde"), dependency("proptest", "dev"), dependency("cc", "build")]},
        {"id": "tests", "deps": [dependency("proptest")]},
        {"id": "serde", "deps": [dependency("serde_core"), dependency("serde")]},
        {"id": "serde_core", "deps": []},
        {"id": "proptest", "deps": []},
        {"id": "cc", "deps": []},
    ]},
}
CARGO_LOCK = '''version = 4

[[package]]
name = "serde"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "abc"
dependencies = [
 "serde_core",
]

[[package]]
name = "sweep"
version = "1.0.0"
'''
NPM_LOCK = {"packages": {
    "": {"name": "pages"},
    "node_modules/lit": {"version": "3.0.0", "license": "BSD-3-Clause"},
    "node_modules/@lit/reactive-element": {"version": "2.0.0"},
    "node_modules/esbuild": {"version": "0.25.0", "dev": True},
}}


class BillOfMaterials(unittest.TestCase):
    def setUp(self):
        self.bill = bill_of_materials.make_bill(METADATA, CARGO_LOCK, NPM_LOCK, "0123")
        self.components = {component["name"]: component for component in self.bill["components"]}

    def test_it_lists_what_the_functions_are_linked_with_and_the_packages_of_the_bundle(self):
        self.assertEqual(set(self.components), {"sweep", "serde", "serde_core", "lit", "@lit/reactive-element"})

    def test_a_component_has_its_address_licence_and_checksum(self):
        serde = self.components["serde"]
        self.assertEqual(serde["purl"], "pkg:cargo/serde@1.0.0")
        self.assertEqual(serde["licenses"], [{"expression": "MIT OR Apache-2.0"}])
        self.assertEqual(serde["hashes"], [{"alg": "SHA-256", "content": "abc"}])
        self.assertNotIn("hashes", self.components["sweep"])
        self.assertNotIn("licenses", self.components["sweep"])
        self.assertEqual(self.components["@lit/reactive-element"]["purl"], "pkg:npm/%40lit/reactive-element@2.0.0")

    def test_it_names_the_commit(self):
        self.assertEqual(self.bill["metadata"]["component"]["version"], "0123")

    def test_a_workspace_without_functions_is_refused(self):
        with self.assertRaises(SystemExit):
            bill_of_materials.find_deployed(METADATA | {"workspace_members": ["tests"]})


if __name__ == "__main__":
    unittest.main()
