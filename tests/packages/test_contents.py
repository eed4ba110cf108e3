"""The wheel and the source distribution build, pass the check of the index, and hold what they should, nothing else."""

import importlib.util
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).parents[2]
for package in ("build", "twine"):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f'{package} is not installed: pip install -e ".[dev]"', allow_module_level=True)
if not (REPOSITORY / ".git").exists():
    pytest.skip("what should be there is told by git, and this is no checkout", allow_module_level=True)


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The wheel, built from the source distribution as installers do, and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, REPOSITORY], check=True, capture_output=True)
    [wheel], [source] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


def tracked(*paths):
    listed = subprocess.run(["git", "ls-files", "-z", *paths], cwd=REPOSITORY, check=True, capture_output=True).stdout
    return {name for name in listed.decode().split("\0") if name and (REPOSITORY / name).exists()}


def test_the_wheel_holds_the_package_and_its_description(packages):
    wheel, _ = packages
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    description = {name for name in names if ".dist-info/" in name}
    assert names - description == tracked("microgradlib")
    assert {name.partition("/")[2] for name in description} == {
        "METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE",
    }  # fmt: skip
    assert {"microgradlib/py.typed", "microgradlib/data/iris.csv", "microgradlib/data/names.txt"} <= names


def test_the_source_distribution_holds_what_builds_and_tests_it(packages):
    _, source = packages
    with tarfile.open(source) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    ours = tracked(
        "microgradlib", "tests", "notebooks", ".docs", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"
    )
    assert names - ours == {"PKG-INFO", ".gitignore"}
    assert ours <= names


def test_the_index_would_take_both(packages):
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *packages], check=True, capture_output=True)
