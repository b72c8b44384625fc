"""Laws of the repository itself: what is promised is there, and what must not be there is not."""

import ast
import re
import subprocess
from itertools import chain
from pathlib import Path

import pytest

PACKAGES = ("features", "models", "pipeline")
LONGEST_FILE = 350
LONGEST_FUNCTION = 50
LONGEST_DECISION = 40
# Put together here, so that this file does not break its own law.
INDEX_HOSTS = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("conda", "io"))]
MACHINE_PATH = re.compile(r"(?<![\w.$}{)])/(?:home|root|Users|work|opt|mnt|srv)/\w+")


def tracked_files(checkout):
    """Return the repository's own files: tracked, or new and not ignored."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=checkout, check=False, capture_output=True, text=True,
    )  # fmt: skip
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [checkout / name for name in listing.stdout.split("\0") if name and (checkout / name).is_file()]


def text_files(checkout):
    """Return the repository's own files that hold text, with their text."""
    found = []
    for file in tracked_files(checkout):
        try:
            found.append((file.relative_to(checkout), file.read_text("utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def product_files(checkout):
    """Return every Python file of the three packages."""
    return [file for package in PACKAGES for file in sorted((checkout / package).rglob("*.py"))]


def commands():
    """Return the names of all commands."""
    import typer

    from pipeline.cli.app import app

    return sorted(typer.main.get_command(app).commands)


def test_no_file_is_longer_than_one_idea(checkout):
    """No product file passes 350 lines."""
    lengths = {file: len(file.read_text().splitlines()) for file in product_files(checkout)}
    assert {str(file): n for file, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_function_is_longer_than_a_screen(checkout):
    """No product function passes 50 lines, its docstring left out."""
    too_long = {}
    for file in product_files(checkout):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                if lines > LONGEST_FUNCTION:
                    too_long[f"{file.name}:{node.name}"] = lines
    assert too_long == {}


def test_only_the_registry_imports_mlflow(checkout):
    """MLflow is imported by models/registry*.py and by nothing else."""
    importing = set()
    for file in product_files(checkout):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "mlflow" for name in names):
                importing.add(file.relative_to(checkout).as_posix())
    assert {name for name in importing if not name.startswith("models/registry")} == set()


def test_no_package_hides_under_tests(checkout):
    """No __init__.py lies under tests: one in tests/features would hide the package."""
    assert list((checkout / "tests").rglob("__init__.py")) == []


def test_no_index_host_is_named(checkout):
    """No file says where packages come from: that is the machine's own matter."""
    naming = [str(name) for name, text in text_files(checkout) if any(host in text for host in INDEX_HOSTS)]
    assert naming == []


def test_no_path_of_a_machine_is_named(checkout):
    """No file names a folder that exists on one machine only."""
    found = {str(name): match.group() for name, text in text_files(checkout) if (match := MACHINE_PATH.search(text))}
    assert found == {}


def test_the_lock_holds_versions_hashes_and_the_build_backend(checkout):
    """Every locked package has an exact version and a hash, and hatchling is among them."""
    lock = (checkout / "requirements.lock").read_text()
    blocks = re.split(r"\n(?=[a-z0-9])", lock)[1:]
    assert len(blocks) > 100
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert [block for block in blocks if not re.match(r"[a-z0-9._-]+(\[.*\])?==", block)] == []
    assert any(block.startswith("hatchling==") for block in blocks)


def test_the_lock_satisfies_the_declared_dependencies(checkout):
    """Each declared dependency, extras included, is locked."""
    import tomllib

    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    names = {re.match(r"[A-Za-z0-9._-]+", line).group().lower().replace("_", "-") for line in declared}
    locked = set(
        re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==", (checkout / "requirements.lock").read_text(), re.MULTILINE)
    )
    assert names - locked == set()


def test_help_names_every_target(checkout):
    """`make help` explains each target that a person can make."""
    makefile = (checkout / "Makefile").read_text()
    targets = set(re.findall(r"^\.PHONY: (\S+)$", makefile, re.MULTILINE))
    shown = subprocess.run(["make", "help"], cwd=checkout, check=True, capture_output=True, text=True)
    assert targets == set(re.findall(r"^  make (\S+) +\S", shown.stdout, re.MULTILINE))


def test_every_command_is_documented(checkout):
    """The README names each command, and each command explains itself and its options."""
    import typer

    from pipeline.cli.app import app

    readme = (checkout / "README.md").read_text()
    for name, command in typer.main.get_command(app).commands.items():
        assert command.help, name
        assert f"leadlight {name}" in readme, name
        silent = [option.name for option in command.params if not getattr(option, "help", "")]
        assert silent == [], name


def test_the_readme_names_no_command_that_does_not_exist(checkout):
    """What the README tells people to type works."""
    typed = set(re.findall(r"^leadlight ([a-z]+)", (checkout / "README.md").read_text(), re.MULTILINE))
    assert typed - set(commands()) == set()


def test_every_setting_is_documented(checkout):
    """docs/settings.md is what the settings say of themselves, and each says something."""
    from pipeline.settings import Settings
    from pipeline.settings_page import page, rows

    assert [name for name, _, meaning in rows(Settings) if not meaning.strip()] == []
    assert (checkout / "docs" / "settings.md").read_text() == page(), "run `make docs`"


def test_shipped_configs_have_no_faults():
    """Each shipped config loads as it is."""
    from pipeline import settings, shipped

    assert {"cdnow", "complete_journey", "synthetic_shop"} <= set(shipped.config_names())
    for name in shipped.config_names():
        raw = settings.read_yaml(shipped.config(name))
        assert settings.parse({**raw, "data": ""}, place=shipped.config(name)).shop.name, name


def test_every_decision_fits_a_page_and_is_listed(checkout):
    """Each decision has at most 40 lines and stands in the index; the index names no other."""
    folder = checkout / "docs" / "decisions"
    pages = {page.name for page in folder.glob("[0-9]*.md")}
    assert set(re.findall(r"\(([0-9][\w-]*\.md)\)", (folder / "README.md").read_text())) == pages
    for page in pages:
        assert len((folder / page).read_text().splitlines()) <= LONGEST_DECISION, page


def test_links_between_documents_lead_somewhere(checkout):
    """A relative link in a document points at a file that exists."""
    broken = [
        f"{page.relative_to(checkout)} -> {target}"
        for page in [*checkout.glob("*.md"), *(checkout / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_versions_agree(checkout):
    """The installed distribution has the version of pyproject.toml."""
    import tomllib
    from importlib.metadata import version

    declared = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["version"]
    assert version("leadlight") == declared


def test_paths_in_docs_use_the_relative_form_of_shared_data(checkout):
    """Real data beside the checkout is named ../shared/data everywhere."""
    for name, text in text_files(checkout):
        if Path(name).suffix == ".md":
            assert not re.search(r"(?<!\.\./)\bshared/data", text), name
