"""In which ways a class is segmented."""

from __future__ import annotations

from napari_revsam2.evaluation.experiment.protocol import ONE_SHOT, Protocol, Setting
from napari_revsam2.settings.config import Mode


def test_settings_are_the_rows_of_table_5_and_the_columns_of_table_6():
    settings = list(Protocol(n_support=(10, 1), top_k=(7, 3), one_shot=True).settings(available=10))
    assert settings[:5] == [
        Setting("revsam2", 10, 7),
        Setting("revsam2", 10, 3),
        Setting("forward", 10),
        Setting("fifo", 10),
        Setting("random", 10, 7),
    ]
    assert settings[-1] == Setting(ONE_SHOT, 1, 7)
    assert len(settings) == 11


def test_more_supports_than_are_painted_are_left_out():
    assert {s.n_support for s in Protocol(modes=(Mode.FORWARD,)).settings(available=6)} == {5, 1}


def test_the_usual_setting_is_the_papers_or_else_the_largest():
    assert Protocol(n_support=(1, 10), top_k=(9, 7)).usual == Setting("revsam2", 10, 7)
    assert Protocol(n_support=(1, 5), top_k=(3, 9)).usual == Setting("revsam2", 5, 9)
