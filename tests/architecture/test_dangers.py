"""What may stand nowhere in the code: shells, unpickling, evaluated text, and HTML that is not a constant."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.test_house import ROOT, ours

#: Tests that make the pickle which must not be loaded, the variant that loads it, one that runs the README, and pages
#: that draw: a picture of our own in base64, and a stripe whose text is escaped. Of joblib only how many threads.
MEANT = {
    "tests/adapters/test_model_store.py": "pickle",
    "tests/faults/model/broken.py": "pickle",
    "tests/faults/model/canary_shapes.py": "pickle",
    "tests/architecture/test_readme.py": "exec",
    "core/adapters/dask_workers.py": "joblib",
    "tests/workers_made.py": "joblib",
    "ui/map_times.py": "html",
    "ui/point.py": "html",
}
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
CALLS = {"eval", "exec", "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "yaml.load"}


def dangers(text: str) -> Iterator[str]:
    """Yield what a module should not hold, with its line."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (f"{node.lineno}: {name}" for name in names if name.partition(".")[0] in MODULES)
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in CALLS:
                yield f"{node.lineno}: {called}"
            if called.startswith("st.") and called.endswith(".html") and not _constant(node):
                yield f"{node.lineno}: {called}"
            for word in node.keywords:
                off = isinstance(word.value, ast.Constant) and word.value.value is False
                if word.arg in {"shell", "allow_pickle"} and not off:
                    yield f"{node.lineno}: {word.arg}"
                if word.arg == "unsafe_allow_html" and not (off or _constant(node)):
                    yield f"{node.lineno}: {word.arg} of a text that is no constant"


def _constant(call: ast.Call) -> bool:
    """Say whether a call is given a text that stands there, or one of the module by its name in capitals."""
    said = call.args[0] if len(call.args) == 1 else None
    return isinstance(said, ast.Constant) or (isinstance(said, ast.Name) and said.id.isupper())


def test_no_module_holds_what_is_dangerous() -> None:
    found = {str(path.relative_to(ROOT)): [*dangers(path.read_text("utf-8"))] for path in ours("*.py")}
    assert {path: lines for path, lines in found.items() if lines and path not in MEANT} == {}
    for path, what in MEANT.items():
        assert found[path], f"{path} needs no exception any more"
        assert all(line.endswith(what) for line in found[path])


@pytest.mark.parametrize(
    "line",
    [
        "import pickle", "from joblib import load", "import dill.source", "os.system('ls')", "eval(text)",
        "subprocess.run('ls', shell=True)", "subprocess.run(words, shell=maybe)", "np.load(path, allow_pickle=True)",
        "st.markdown(text, unsafe_allow_html=True)", "st.markdown(f'<b>{x}</b>', unsafe_allow_html=True)",
        "st.markdown('<b>' + x, unsafe_allow_html=allowed)", "st.html(f'<b>{x}</b>')", "st.components.v1.html(text)",
    ],
)  # fmt: skip
def test_each_danger_is_found(line: str) -> None:
    assert len([*dangers(line)]) == 1


@pytest.mark.parametrize(
    "line",
    [
        "st.markdown('<b>constant</b>', unsafe_allow_html=True)", "st.markdown(text, unsafe_allow_html=False)",
        "st.html(STYLE)", "subprocess.run(['ls'], shell=False)", "np.load(path, allow_pickle=False)", "model.eval()",
    ],
)  # fmt: skip
def test_what_is_harmless_is_left_alone(line: str) -> None:
    assert [*dangers(line)] == []
