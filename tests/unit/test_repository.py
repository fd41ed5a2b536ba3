"""The committed results and texts agree with each other."""

import hashlib
import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from offerbench.commands.readme import documents, fill
from offerbench.parameters import load_parameters

REPOSITORY = Path(__file__).parents[2]
PRESETS = sorted((REPOSITORY / "presets").glob("*.yaml"))
GIT_TRACKED = ("metrics/", "reports/", "plots/")


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_preset_is_valid(preset: Path) -> None:
    load_parameters(preset)


def test_the_default_is_a_preset_too() -> None:
    assert load_parameters(REPOSITORY / "params.yaml") == load_parameters(
        REPOSITORY / "presets/complete_journey.yaml"
    )


def test_texts_show_the_committed_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    texts = {document: document.read_text(encoding="utf-8") for document in documents()}
    assert "<!-- results: headline -->" in texts[Path("README.md")]
    for document, text in texts.items():
        assert fill(text, document) == text, f"{document}: run `offerbench readme`"


def digest(path: Path) -> str:
    """As DVC takes it: of a directory, of the list of its files' digests."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    files = sorted(file for file in path.rglob("*") if file.is_file())
    listed = [{"md5": digest(file), "relpath": file.relative_to(path).as_posix()} for file in files]
    listed.sort(key=lambda entry: entry["relpath"])
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"


def test_committed_results_are_those_of_the_lock_file() -> None:
    stages = YAML(typ="safe").load((REPOSITORY / "dvc.lock").read_text())["stages"]
    outs = [out for stage in stages.values() for out in stage["outs"] if out["path"].startswith(GIT_TRACKED)]
    paths = {out["path"] for out in outs}
    assert {"metrics/wauc.json", "metrics/summary.json", "metrics/half_widths.json"} <= paths
    assert {"metrics/offers.parquet", "plots/training/full", "reports/wauc.md"} <= paths
    for out in outs:
        assert digest(REPOSITORY / out["path"]) == out["md5"], (
            f"{out['path']} is not what dvc.lock says: run `dvc repro` and commit both"
        )
