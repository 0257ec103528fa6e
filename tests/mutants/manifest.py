"""Writes Cargo.toml and lib.rs of the small crate for mutation testing: `domain` and `policy`, with only the
dependencies that these two modules use."""

import pathlib
import re
import sys
import tomllib

PROFILE = """
[lib]
doctest = false

[workspace]

[profile.dev]
debug = false
"""

# Dependencies built with optimization. The phone number tables are excluded: they take minutes to build.
OPTIMIZED = ["chacha20", "jiff", "jiff-core", "proptest", "rand", "rand_xorshift"]


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"'


def main(manifest, crate):
    ringmaster = tomllib.loads(pathlib.Path(manifest).read_text())
    crate = pathlib.Path(crate)
    text = "\n".join(file.read_text() for file in sorted(crate.rglob("*.rs")))

    def named(table):
        is_named = lambda name: re.search(rf"\b{name.replace('-', '_')}(::|!)", text)
        return [f"{name} = {toml(value)}" for name, value in ringmaster[table].items() if is_named(name)]

    package = {key: ringmaster["package"][key] for key in ("name", "version", "edition", "rust-version")}
    lines = ["[package]", *(f"{key} = {toml(value)}" for key, value in package.items())]
    for table in ("dependencies", "dev-dependencies"):
        lines += ["", f"[{table}]", *named(table)]
    profiles = "".join(f"\n[profile.dev.package.{name}]\nopt-level = 2\n" for name in OPTIMIZED)
    (crate / "Cargo.toml").write_text("\n".join(lines) + "\n" + PROFILE + profiles)
    (crate / "src/lib.rs").write_text("pub mod domain;\npub mod policy;\n")


main(*sys.argv[1:])
