"""Invariants of the source itself."""

import ast
from pathlib import Path

import pytest

import fastopt

PACKAGE = Path(fastopt.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

# Imports run downward only: a module may import from its own floor or a lower one.
FLOORS = [
    {
        *("kernels.compile", "kernels.pipeline", "kernels.cache", "kernels.contraction"),
        "kernels.intrinsics",
    },
    {"kernels", "names", "checks", "memory", "progress", "workers"},
    {
        *("rules", "surfaces", "ensembles", "noise", "part", "schedules", "spectra", "starts"),
        *("survey", "theory"),
    },
    {"run", "runs", "batch", "factors", "slices", "stopping"},
    {
        *("basins", "bench", "statistics", "plot", "plot_ensembles", "plot_settings"),
        *("plot_statistics", "plot_surface", "plot_window", "info"),
    },
    {"study"},
    {"cli", "commands", "tour", "tuning", "__main__"},
]


def floor(module):
    for number, names in enumerate(FLOORS):
        if any(module == name or module.startswith(name + ".") for name in names):
            return number
    raise AssertionError(f"{module} stands on no floor: add it to FLOORS")


def module_name(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("fastopt"):
            inner = node.module.partition(".")[2]
            for alias in node.names:
                full = f"{inner}.{alias.name}" if inner else alias.name
                is_module = (PACKAGE / Path(*full.split("."))).with_suffix(".py").exists()
                yield full if is_module or not inner else inner
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("fastopt."):
                    yield alias.name.partition(".")[2]


# All but the package itself, which gathers all floors.
@pytest.mark.parametrize("path", [path for path in SOURCES if module_name(path)], ids=module_name)
def test_imports_run_downward(path):
    name = module_name(path)
    for imported in imported_modules(path):
        if imported.split(".")[0] in {m.split(".")[0] for names in FLOORS for m in names}:
            assert floor(imported) <= floor(name), f"{name} imports {imported}, from a floor above"


def test_every_compiled_function_goes_through_one_place():
    for path in SOURCES:
        if path.name == "compile.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if getattr(getattr(node, "value", None), "id", "") == "jax":
                continue  # a peer's compiler
            name = getattr(node, "attr", getattr(node, "id", ""))
            assert name not in {"jit", "njit", "vectorize", "guvectorize", "cfunc"}, path


def test_a_rule_or_surface_is_named_in_one_file_only():
    names_in = {}
    for path in SOURCES:
        nodes = ast.walk(ast.parse(path.read_text()))
        names_in[path] = {getattr(node, "id", None) for node in nodes}
    for cls in [*fastopt.rules.registry.values(), *fastopt.surfaces.registry.values()]:
        home = Path(__import__("inspect").getfile(cls))
        for path in SOURCES:
            if path != home and path.parent.name in {"rules", "surfaces", "kernels", "fastopt"}:
                if path.name in {"tuning.py", "tour.py", "plot.py", "info.py", "cli.py"}:
                    continue  # what a person is shown may pick rules
                assert cls.__name__ not in names_in[path], f"{path} names {cls.__name__}"
