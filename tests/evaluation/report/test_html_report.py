from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from napari_revsam2.evaluation.datasets.dataset import Dataset
from napari_revsam2.evaluation.report.html_report import Provenance, write_report
from napari_revsam2.evaluation.report.table import Table, left_out
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import VolumeFileError

TABLE = Table("Table 5", ("class", "DSC"), (("anterior", "50.00"), ("paper: BTCV", "69.86")), "In percent.")
HIPPOCAMPUS = Dataset("hippocampus", {1: "anterior"}, (), window="40,80", axis=Axis.CORONAL)
PROVENANCE = Provenance(RevSAM2Config(), (HIPPOCAMPUS,), ("evaluate", "--groups", "3"), "ab12")


class Outward(HTMLParser):
    """Collects what a browser would fetch, and the tags that were opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attributes if name in ("src", "href", "data", "srcset")]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "figure_4.png"
    path.write_bytes(b"\x89PNG not really")
    return path


def test_the_report_fetches_nothing(tmp_path: Path, picture: Path) -> None:
    text = write_report(tmp_path, [TABLE], [picture], PROVENANCE).read_text(encoding="utf-8")
    assert all(value.startswith(("#", "data:image/png;base64,")) for value in Outward(text).fetched)
    assert "url(" not in text


def test_each_link_of_the_report_has_its_place(tmp_path: Path, picture: Path) -> None:
    text = write_report(tmp_path, [TABLE, TABLE], [picture], PROVENANCE).read_text(encoding="utf-8")
    assert set(re.findall(r'href="#([^"]+)"', text)) == set(re.findall(r' id="([^"]+)"', text))


def test_the_report_holds_tables_and_pictures(tmp_path: Path, picture: Path) -> None:
    tags = Outward(write_report(tmp_path, [TABLE], [picture, picture], PROVENANCE).read_text(encoding="utf-8")).tags
    assert (tags.count("table"), tags.count("img"), tags.count("tr")) == (1, 2, 3)


def test_lines_of_the_paper_are_marked(tmp_path: Path) -> None:
    text = write_report(tmp_path, [TABLE], [], PROVENANCE).read_text(encoding="utf-8")
    assert re.findall(r'<tr class="paper"><th scope="row">([^<]+)', text) == ["paper: BTCV"]


def test_a_table_that_is_left_out_is_a_sentence(tmp_path: Path) -> None:
    text = write_report(tmp_path, [left_out("Table 4", "no rows")], [], PROVENANCE).read_text(encoding="utf-8")
    assert "Left out: no rows." in text
    assert "<table>" not in text


def test_names_are_text_and_no_html(tmp_path: Path) -> None:
    table = Table("<script>", ("<b>",), (("<i>",),), "&")
    provenance = Provenance(RevSAM2Config(), (replace(HIPPOCAMPUS, name="<img src=x>"),), ("<u>",))
    tags = Outward(write_report(tmp_path, [table], [], provenance).read_text(encoding="utf-8")).tags
    assert not {"script", "b", "i", "u", "img"} & set(tags)


def test_provenance_names_settings_versions_checkpoint_and_command(tmp_path: Path) -> None:
    write_report(tmp_path, [], [], PROVENANCE)
    facts = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))
    assert facts["checkpoint"] == {"name": "revsam2-mini", "sha256": "ab12"}
    assert facts["command"] == ["evaluate", "--groups", "3"]
    assert facts["datasets"] == [{"name": "hippocampus", "window": "40,80", "axis": "coronal"}]
    assert {"python", "napari-revsam2", "torch"} <= set(facts["versions"])


def test_what_the_protocol_and_the_datasets_vary_is_no_setting() -> None:
    assert not {"mode", "n_support", "top_k", "window"} & set(PROVENANCE.as_dict()["settings"])


PATHS = (
    "/home/jane/msd",
    "name=/home/jane/msd",
    r"C:\Users\jane\msd",
    r"\\server\jane\msd",
    "~/jane/msd",
    "~jane/msd",
    "jane/msd",
    "../jane/msd/",
    r"jane\msd",
    "/home/patient=jane/msd",
    "/home/jane=doe/jane=doe/msd",
    "file:///home/jane/msd",
    "file:/home/jane/msd",
    "file://jane/home/msd",
    "file:///home%2Fjane%2Fmsd",
    "tcp://jane:1/msd",
    "smb://jane:secret@server/jane/msd?user=jane#jane",
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("option", ["", "--dataset="])
def test_of_a_path_only_its_last_name_is_told(path: str, option: str, tmp_path: Path) -> None:
    facts = Provenance(RevSAM2Config(checkpoint=path), (HIPPOCAMPUS,), ("--dataset", option + path))
    write_report(tmp_path, [], [], facts)
    for name in ("provenance.json", "report.html"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "jane" not in text
        assert f"{option}msd" in text


@pytest.mark.parametrize(
    "word",
    ["evaluate", "--groups", "50,100", "percentile:0.5,99.5", "-600,1500", "--window=-600,1500", "cuda:0", "msd.csv"],
)
def test_what_is_no_path_is_told_as_it_was_typed(word: str) -> None:
    assert Provenance(RevSAM2Config(), (), (word,)).as_dict()["command"] == [word]


def test_a_picture_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(VolumeFileError, match=r"gone\.png can't be read"):
        write_report(tmp_path, [], [tmp_path / "gone.png"], PROVENANCE)
