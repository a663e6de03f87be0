"""What `napari-revsam2 evaluate` takes."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from napari_revsam2.cli.evaluate_options import add_evaluate_options
from napari_revsam2.evaluation.experiment.protocol import Protocol


def parse(*more: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_evaluate_options(parser)
    return parser.parse_args(["data", "--output", "results", *more])


def test_by_default_the_protocol_is_the_papers():
    options = parse()
    protocol = Protocol(tuple(options.n_support), tuple(options.top_k), tuple(options.modes), options.groups)
    assert protocol == Protocol()
    assert (options.tolerance, options.workers, options.one_shot) == (2.0, 1, False)


def test_several_datasets_and_repeated_lists_are_taken():
    options = parse("--label", "1", "2", "--label", "3", "--compare", "box", "--compare", "nnunet-20")
    assert (options.dataset, options.label, options.compare) == ([Path("data")], [1, 2, 3], ["box", "nnunet-20"])


@pytest.mark.parametrize(
    "words",
    [
        ["--n-support", "0"],
        ["--top-k", "1.5"],
        ["--groups", "x"],
        ["--workers", "-1"],
        ["--tolerance", "nan"],
        ["--tolerance", "-1"],
        ["--tolerance", "inf"],
        ["--modes", "magic"],
        ["--axis", "up"],
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_refused(words, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(*words)
    assert stop.value.code == 2
    assert words[0] in capsys.readouterr().err
