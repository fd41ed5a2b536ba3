"""The page in a browser: tables sort, a phone's screen is wide enough, dark and light are legible."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from offerbench.report.page import page_html

from .content import page_content

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCHEMES = {"dark": 0, "light": 1}
PHONE, DESK = 390, 1280

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium, chromium-browser or google-chrome here"),
]

# The page is shown in a frame: a browser's window can't be as narrow as a phone.
FRAME = """<!doctype html><html><body>
<iframe style="border:0;width:{width}px;height:844px" srcdoc="{page}"></iframe>
<pre id="found"></pre><script>
document.querySelector("iframe").addEventListener("load", (event) => {{
  const page = event.target.contentDocument, window = event.target.contentWindow;
  const answer = document.getElementById("found");
  try {{
    answer.textContent = JSON.stringify((() => {{ {script} }})());
  }} catch (error) {{
    answer.textContent = JSON.stringify({{error: String(error)}});
  }}
}});
</script></body></html>"""


def ask(directory: Path, script: str, width: int = DESK, scheme: str = "light", text: str = "") -> Any:
    """Show the page and give what a script that knows `page` and its `window` returns."""
    page = html.escape(text or page_html(page_content()))
    frame = directory / "frame.html"
    frame.write_text(FRAME.format(width=width, page=page, script=script), encoding="utf-8")
    assert BROWSER is not None
    finished = subprocess.run(
        [
            BROWSER,
            *FLAGS,
            f"--user-data-dir={directory / 'profile'}",
            f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
            "--window-size=1400,900",
            "--virtual-time-budget=5000",
            "--dump-dom",
            frame.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    answer = re.search(r'<pre id="found">(.+?)</pre>', finished.stdout)
    assert answer is not None, "the page did not load in time"
    found = json.loads(html.unescape(answer[1]))
    assert "error" not in found, found["error"]
    return found


def test_headers_sort_both_ways_and_missing_values_come_last(tmp_path: Path) -> None:
    found = ask(
        tmp_path,
        """
        const state = (name, column) => {
          const table = page.getElementById(name);
          return [[...table.tHead.rows[0].cells].map((cell) => cell.getAttribute("aria-sort")),
                  [...table.tBodies[0].rows].map((row) => row.cells[column].textContent.trim())];
        };
        const click = (name, column) => {
          const button = page.getElementById(name).tHead.rows[0].cells[column].querySelector("button");
          button.focus();
          if (page.activeElement !== button) throw new Error("the keyboard does not reach the header");
          button.click();
          return state(name, column);
        };
        page.querySelector("details").open = true;
        return {
          down: click("T_wauc-clean-all", 1), up: click("T_wauc-clean-all", 1),
          names: click("T_wauc-clean-all", 0), other: state("T_wauc-published-all", 1),
          gaps: click("T_gaps-published-popular-full", 1), gaps_up: click("T_gaps-published-popular-full", 1),
          italic: [...page.querySelectorAll("#T_wauc-clean-all tbody tr")].map(
            (row) => [...row.cells].map((cell) => window.getComputedStyle(cell).fontStyle)),
          positives: click("T_offers-brand", 1), fixed: page.querySelectorAll("#T_facts button").length,
        };
        """,
    )
    waucs = [".523 ±.001", ".540 ±.002", ".557 ±.003", ".574 ±.004", ".591 ±.005", ".608 ±.006", ".625 ±.007"]
    ceiling = ".642 ±.008"  # stays below the others
    assert found["down"] == [[None, "descending", None], [*waucs[::-1], ceiling]]
    assert found["up"] == [[None, "ascending", None], [*waucs, ceiling]]
    assert found["names"][0] == ["ascending", None, None]
    *ranked, last = found["names"][1]
    assert ranked == sorted(ranked) and last == "ceiling (sees the future)"
    assert found["italic"] == [["normal"] * 3] * 7 + [["italic"] * 3]
    assert found["other"][0] == [None, None, None]
    assert found["gaps"][1] == ["+.021 ±.010 ▲", "-"]
    assert found["gaps_up"] == [[None, "ascending", None], ["+.021 ±.010 ▲", "-"]]
    positives = [int(text.replace(",", "")) for text in found["positives"][1]]
    assert positives == sorted(positives, reverse=True) and positives[0] == 1000
    assert found["fixed"] == 0


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_page_does_not_scroll_sideways(tmp_path: Path, width: int) -> None:
    found = ask(
        tmp_path,
        """
        page.querySelectorAll("details").forEach((details) => { details.open = true; });
        const root = page.documentElement;
        return {
          width: window.innerWidth, page: [root.scrollWidth, root.clientWidth],
          tables: [...page.querySelectorAll(".scroll")].map((box) => box.scrollWidth - box.clientWidth),
          drawings: [...page.querySelectorAll("svg")].map((svg) => svg.getBoundingClientRect().width),
        };
        """,
        width,
    )
    assert found["width"] == width
    assert found["page"][0] <= found["page"][1] <= width
    assert (max(found["tables"]) > 0) == (width == PHONE)  # on a phone a table scrolls in its own box
    assert 250 < min(found["drawings"]) <= max(found["drawings"]) <= width


def test_dark_and_light_are_legible_and_no_request_is_made(tmp_path: Path) -> None:
    found = {
        scheme: ask(
            tmp_path,
            """
            const style = (selector) => window.getComputedStyle(page.querySelector(selector));
            return {
              page: style("body").backgroundColor, text: style("body").color,
              axis: style("#training svg text").fill, quiet: style("thead th").color,
              line: style("#training svg path[style*=series-0]").stroke,
              aligned: ["td.number", "tbody th", "#T_params td"].map((name) => style(name).textAlign),
              requests: window.performance.getEntriesByType("resource").map((entry) => entry.name),
            };
            """,
            scheme=scheme,
        )
        for scheme in SCHEMES
    }
    for colours in found.values():
        assert [name for name in colours.pop("requests") if not name.startswith("data:")] == []
        assert colours.pop("aligned") == ["right", "left", "left"]
        page = luminance(colours.pop("page"))
        least = {"text": 7, "axis": 7, "quiet": 4.5, "line": 3}
        for name, colour in colours.items():
            light, dark = sorted([luminance(colour), page], reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= least[name], name
    assert found["dark"] != found["light"]


def luminance(colour: str) -> float:
    channels = [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
