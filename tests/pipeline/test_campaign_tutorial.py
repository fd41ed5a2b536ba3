"""The tutorial docs/campaigns.md: its commands are run, and print what the page says they print."""

import json
import re
import shlex

import pandas as pd
import pytest
from ruamel.yaml import YAML

from .conftest import REPOSITORY, Workspace

pytestmark = pytest.mark.pipeline

GUIDE = REPOSITORY / "docs/campaigns.md"
SIZE, SMALL_SIZE = "--size 500", "--size 60"  # the workspace has a hundred users
SMALL_SIZES = 15
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps(guide: str) -> list[tuple[str, str | None]]:
    """Commands of the page, one after the other, each with the output that follows it, if any does."""
    blocks = BLOCK.findall(guide)
    found = []
    for place, (kind, text) in enumerate(blocks):
        if kind != "console":
            continue
        following = blocks[place + 1] if place + 1 < len(blocks) else ("", "")
        commands = text.replace("\\\n", " ").strip().splitlines()
        outputs = [None] * (len(commands) - 1) + [following[1] if following[0] == "text" else None]
        found += zip(commands, outputs, strict=True)
    return found


def shape(output: str) -> list[str]:
    """Lines of an output without its numbers, and without what the backtest may have no offers for."""
    lines = re.sub(r"reached in the backtest.*\n.*\n.*\n", "", output + "\n").splitlines()
    of_backtest = " in the backtest expected / actual"  # what a plan tells if the backtest has such offers
    kept = []
    for line in lines:
        words = re.sub(r"[-+]?\d+(?:[.,:-]\d+)*%?|(?<=\s)(?:-|inf|nan)(?=\s|$)", "#", line)
        words = re.sub(r"-{2,}", "--", words).replace("excludes", "includes")
        words = " ".join(words.split()).replace(of_backtest, "")
        kept.append(re.sub(r"(# )+#$", "#", re.sub(r"(-- )+--$", "--", words)))
    return [line for line in kept if line]


def write_inputs(workspace: Workspace) -> None:
    """The files that the page's commands read: campaigns.yaml of the page, products, purchases."""
    guide = GUIDE.read_text(encoding="utf-8")
    content = next(text for kind, text in BLOCK.findall(guide) if kind == "yaml")
    yaml = YAML(typ="safe")
    assert yaml.load(content) == yaml.load((REPOSITORY / "campaigns.yaml").read_text())  # as the repository's
    small = re.sub(r"size: \d+", f"size: {SMALL_SIZES}", content)
    (workspace.path / "campaigns.yaml").write_text(small)
    vocabulary = pd.read_parquet(workspace.path / "data/prepared/vocabulary.parquet")
    products = vocabulary[vocabulary["feature"] == "product_id"]["value"].head(5)
    (workspace.path / "products.csv").write_text("\n".join(["product_id", *products]) + "\n")


def write_purchases(workspace: Workspace) -> None:
    """A purchase of the offer by each of the best users of the first audience."""
    users = pd.read_csv(workspace.path / "audience.csv")["user"].head(9)
    users.to_frame().assign(day="2017-12-05").to_csv(workspace.path / "purchases.csv", index=False)


def check_tutorial(workspace: Workspace, size: int) -> None:
    """Run every command of the page in a workspace after `dvc repro`, and compare the outputs' shapes."""
    commands = steps(GUIDE.read_text(encoding="utf-8"))
    assert [command.split("#")[0].strip() for command, _ in commands[:2]] == ["make data", "dvc repro"]
    compared = 0
    for command, expected in commands[2:]:
        if "purchases.csv" in command:
            write_purchases(workspace)
        words = shlex.split(command.replace(SIZE, f"--size {size}"))
        assert words[0] == "offerbench"
        done = workspace.run(*words)
        if expected is not None:
            assert shape(done.stdout + done.stderr) == shape(expected)
            compared += 1
        if "--output" in words:
            assert (workspace.path / words[words.index("--output") + 1]).exists()
    assert compared == 3 and len(commands) == 7


def read_json(workspace: Workspace, name: str) -> dict[str, object]:
    return dict(json.loads((workspace.path / name).read_text()))


def check_results(workspace: Workspace, size: int) -> None:
    """What the page says of the files that the commands wrote."""
    audience = pd.read_csv(workspace.path / "audience.csv")
    figures = read_json(workspace, "audience.json")
    assert len(audience) == figures["users_in_audience"] == size
    assert audience["rank"].tolist() == list(range(1, size + 1))
    assert (audience["group"] == "control").sum() == figures["users_in_control"] == round(size / 10)
    assert figures["expected_buyers"] == pytest.approx(audience["chance"].sum(), abs=1e-5)
    share = len(pd.read_csv(workspace.path / "products_audience.csv"))
    assert share == round(0.1 * int(str(read_json(workspace, "products_audience.json")["users_considered"])))
    plan = read_json(workspace, "plan/plan.json")
    assert plan["is_exact"] is True
    for name in dict(plan["campaigns"]):  # type: ignore[call-overload]
        assert {f"{name}.csv", f"{name}.json"} <= {path.name for path in (workspace.path / "plan").iterdir()}
    assert (workspace.path / "plan/overlap.png").exists()
    assert read_json(workspace, "outcome.json")


def test_the_commands_print_what_the_page_says(workspace: Workspace) -> None:
    size = int(SMALL_SIZE.split()[1])
    write_inputs(workspace)
    check_tutorial(workspace, size)
    check_results(workspace, size)


def test_the_page_is_taken_apart() -> None:
    page = "```console\none \\\n  two\nthree\n```\n\ntext\n\n```text\nout 1\n```\n```console\nfour\n```\n"
    assert steps(page) == [("one    two", None), ("three", "out 1\n"), ("four", None)]
    printed = "a  12.5%  [-1, +2]\n----  ---\nreached in the backtest  1\n  2\n  3\nb   -  inf\n"
    assert shape(printed) == ["a # [#, #]", "--", "b #"]
    plan = "campaign  users  reach\n---  ---  ---\nsoda  30  4.5%\n"
    more = "campaign  users  reach  in the backtest  expected / actual\n---  ---  ---\nsoda  3  4%  -  -\n"
    assert shape(plan) == shape(more)


def test_the_size_of_the_page_is_the_one_that_is_replaced() -> None:
    commands = [command for command, _ in steps(GUIDE.read_text(encoding="utf-8"))]
    assert [SIZE in command for command in commands].count(True) == 1
    assert sum("--size" in command for command in commands) == 1
