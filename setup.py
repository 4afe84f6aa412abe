"""Where an installed Pawl's packages go: into one private package (ADR 13). All else is in pyproject.toml."""

from setuptools import find_packages, setup

PRIVATE = "_pawl_installed"
FOLDERS = ("core", "gateway", "loader", "pawl", "registry", "server", "trainer", "worker")

found = find_packages(include=[pattern for folder in FOLDERS for pattern in (folder, f"{folder}.*")])

setup(
    packages=[PRIVATE, *(f"{PRIVATE}.{package}" for package in found)],
    package_dir={PRIVATE: "pawl/installed", **{f"{PRIVATE}.{folder}": folder for folder in FOLDERS}},
)
