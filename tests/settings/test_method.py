from napari_revsam2.settings.method import MethodSettings, Mode


def test_the_defaults_are_the_papers():
    assert MethodSettings() == MethodSettings(n_support=10, top_k=7, mode=Mode.REVSAM2, seed=0)


def test_there_is_a_mode_for_each_row_of_table_5():
    assert [mode.value for mode in Mode] == ["revsam2", "forward", "fifo", "random"]
