"""The runner of the mutants, on a tree with one function and one test."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.mutants.runner import Mutant, copy_tree, hunt, read_mutants

pytestmark = pytest.mark.tools

CODE = "def double(x):\n    return x * 2\n"

# The test would see the wrong `lib` if the runner let it import another tree.
TEST = """
import pathlib, lib
def test_double():
    assert pathlib.Path(lib.__file__).parent == pathlib.Path(__file__).parents[1]
    assert lib.double(3) == 6
"""


def patch(old: str, new: str, kills: str = "tests/test_lib.py") -> str:
    return (
        f"# kills: {kills}\n--- a/lib.py\n+++ b/lib.py\n@@ -1,2 +1,2 @@\n"
        f" def double(x):\n-    {old}\n+    {new}\n"
    )


PATCHES = {
    "broken": patch("return x * 2", "return x * 3", "tests/test_absent.py"),
    "killed": patch("return x * 2", "return x * 3"),
    "stale": patch("return x + x", "return x * 3"),
    "survived": patch("return x * 2", "return x + x"),
    "unreadable": patch("return x * 2", "return ("),
}


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    write(root, {"lib.py": CODE, "tests/test_lib.py": TEST, ".gitignore": "*.log\n"})
    write(root, {f"tests/mutants/{name}.patch": text for name, text in PATCHES.items()})
    subprocess.run(["git", "init", "-q", root], check=True)
    return root


def verdicts(mutants: list[Mutant], root: Path, folder: Path) -> dict[str, str]:
    copy_tree(root, folder / "pristine")
    return {
        fate.mutant.name: fate.verdict for fate in hunt(mutants, folder / "pristine", folder, 2)
    }


def test_each_mutant_gets_its_verdict(repository: Path, tmp_path: Path) -> None:
    mutants = read_mutants(repository / "tests/mutants", ("k", "s", "u"))
    assert verdicts(mutants, repository, tmp_path / "copies") == {
        "killed": "killed",
        "stale": "STALE",
        "survived": "SURVIVED",
        "unreadable": "BROKEN",
    }
    assert (repository / "lib.py").read_text() == CODE


def test_tests_that_are_absent_or_red_anyway_judge_nothing(
    repository: Path, tmp_path: Path
) -> None:
    absent = read_mutants(repository / "tests/mutants", ("broken",))
    assert verdicts(absent, repository, tmp_path / "absent") == {"broken": "RED"}
    (repository / "lib.py").write_text(CODE.replace("2", "4"))
    killed = read_mutants(repository / "tests/mutants", ("killed",))
    assert verdicts(killed, repository, tmp_path / "red") == {"killed": "RED"}


def test_the_copy_has_what_git_has_or_would_have(repository: Path, tmp_path: Path) -> None:
    write(repository, {"noise.log": "", "new.py": ""})
    copy_tree(repository, tmp_path / "copy")
    assert (tmp_path / "copy/new.py").exists()
    assert not (tmp_path / "copy/noise.log").exists()
    assert not (tmp_path / "copy/.git").exists()


@pytest.mark.parametrize("first", ["", "# kills:", "--- a/lib.py"])
def test_a_patch_must_name_its_tests(first: str, tmp_path: Path) -> None:
    write(tmp_path, {"x.patch": f"{first}\n"})
    with pytest.raises(SystemExit, match="first line"):
        read_mutants(tmp_path)
