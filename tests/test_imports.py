"""No module imports itself by way of others, not even to check types."""

from __future__ import annotations

from itertools import chain

import grimp

PACKAGES = ("bench", "core", "gateway", "loader", "pawl", "registry", "server", "trainer", "worker")


def test_imports_make_no_circle() -> None:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    left = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    while leaves := {module for module, imported in left.items() if not imported & left.keys()}:
        for module in leaves:
            del left[module]
    assert sorted(chain(left)) == [], "each of these imports itself, or a module that does"
