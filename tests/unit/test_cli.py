"""The command `offerbench`: its verbs, a mistake in one line, and what it does not import."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import offerbench
from offerbench import cli

REPOSITORY = Path(__file__).parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERBS = ["fetch", "repro", "synthetic", "audience", "outcome", "gate", "study", "prune", "readme"]
VERBS += ["schema", "dependencies"]


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["offerbench", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def test_help_lists_every_verb_with_its_purpose(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--help") == 0
    text = capsys.readouterr().out
    assert [verb.__name__ for verb in cli.VERBS] == VERBS
    for verb in cli.VERBS:
        assert f" {verb.__name__} " in text
        assert verb.__doc__
        first = " ".join(verb.__doc__.split()[:3])
        assert first in " ".join(text.replace("│", " ").split()), first


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_explains_its_options(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, verb, "--help") == 0
    assert f"offerbench {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["fetsh"], ["gate", "--basline", "main"], ["study"], ["synthetic", "5"]])
def test_words_that_it_does_not_know_are_refused(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, *words) == 2


def test_a_users_mistake_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # without params.yaml
    assert run(monkeypatch, "prune") == 2
    output = capsys.readouterr()
    assert output.err == "error: params.yaml: no such file. Copy one of presets/ there.\n"
    assert output.out == ""


def test_what_is_logged_is_printed_with_the_verb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("synthetic", "--rows", "50", "--months", "1", "--directory", str(tmp_path / "log"))
    assert run(monkeypatch, *words) == 0
    assert capsys.readouterr().out.startswith("synthetic: wrote 50 rows to 1 files in ")
    assert [file.name for file in (tmp_path / "log").iterdir()] == ["2019-Oct.csv.gz"]


def test_the_installed_command_and_the_module_are_the_same() -> None:
    assert PROJECT["scripts"] == {"offerbench": "offerbench.cli:main"}
    installed = Path(sys.executable).with_name("offerbench")
    texts = [
        subprocess.run(
            [*words, "gate", "--help"], capture_output=True, text=True, check=True, cwd=REPOSITORY
        ).stdout
        for words in ([str(installed)], [sys.executable, "-m", "offerbench"])
    ]
    assert "offerbench gate [OPTIONS]" in texts[0]
    assert texts[0] == texts[1]


def test_it_prints_its_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"{offerbench.__version__}\n"


def test_the_command_does_not_wait_for_tensorflow() -> None:
    code = "import sys, offerbench.cli; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("words", [["gate"], ["study", "seeds"], ["fetch"], ["prune"]])
def test_a_directory_below_that_of_the_project_is_refused(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("dvc.yaml", "params.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "docs/more").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "docs/more")
    assert run(monkeypatch, *words) == 2
    below = f"error: {tmp_path}/docs/more: not the project's own directory. Run it in {tmp_path}.\n"
    assert capsys.readouterr().err == below
    assert not list((tmp_path / "docs/more").iterdir())


@pytest.mark.parametrize("words", [["gate"], ["study", "some"]])
def test_a_tree_without_git_is_one_line(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.delenv("GIT_DIR", raising=False)
    shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "studies").mkdir()
    shutil.copy(REPOSITORY / "studies/seeds.yaml", tmp_path / "studies/some.yaml")
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *words) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path}: not a git repository, which this needs. Get offerbench by `git clone`, or make "
        "one of this directory: `git init`, `git add --all`, `git commit`.\n"
    )


def test_windows_is_one_line() -> None:
    # The standard library looks at the platform too, when it is imported.
    script = "import importlib.metadata, sys; sys.platform = 'win32'; import offerbench.core.command"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: offerbench does not run on Windows itself. Install WSL")
    assert done.stderr.count("\n") == 1
