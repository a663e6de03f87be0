"""What is written comes back: rows of results, tables of pairs, sessions."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_revsam2.evaluation.datasets.dataset_csv import open_dataset_csv
from napari_revsam2.evaluation.experiment.result_rows import ResultRow
from napari_revsam2.evaluation.experiment.row_file import RowFile
from napari_revsam2.plugin.files.session_data import FormChoices, Query, Session, SupportPair
from napari_revsam2.plugin.files.session_file import load_session, load_supports, save_session, save_supports

plain = st.characters(exclude_categories=["Cs", "Cc"])
awkward = st.sampled_from(["=1+1", "+a", "-b", "@c", 'a"b', "a,b", "'=x", "nan"])
names = st.text(plain, min_size=1, max_size=20) | awkward
numbers = st.floats(0, 1) | st.just(float("nan"))
counts = st.integers(0, 10**6)
rows = st.builds(
    ResultRow,
    dataset=names, support_dataset=names, label=counts, class_name=names, group=counts, volume=names, mode=names,
    n_support=counts, top_k=counts, dsc=numbers, nsd=numbers, chosen_dice=numbers, nonempty_dice=numbers,
    rank_correlation=numbers, seconds=st.floats(0, 1e6),
)  # fmt: skip


@given(st.lists(st.lists(rows, min_size=1, max_size=3), min_size=1, max_size=3))
def test_rows_of_results_come_back_in_as_many_pieces_as_they_were_written(pieces):
    with tempfile.TemporaryDirectory() as folder:
        file = RowFile(Path(folder) / "results.csv", ResultRow)
        for piece in pieces:
            file.append(piece)
        assert list(map(repr, file.read())) == [repr(row) for piece in pieces for row in piece]  # nan is not nan


file_names = names.filter(lambda name: name == name.strip())


@given(st.lists(st.tuples(file_names, file_names, file_names, st.sampled_from(["training", "test"])), max_size=5))
def test_a_table_of_pairs_is_read_as_it_was_written(pairs):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("image", "labels", "name", "split"), *pairs])
        dataset = open_dataset_csv(path)
        for part in ("training", "test"):
            expected = [(n, path.parent / image, path.parent / labels) for image, labels, n, s in pairs if s == part]
            assert [(s.name, s.image, s.labels) for s in getattr(dataset, part)] == expected


sizes = st.floats(1e-6, 1e6)
units = st.sampled_from(["pixel", "millimeter", "micrometer", "1 / second", "millimeter ** 2"])


@st.composite
def support_pairs(draw) -> SupportPair:
    """Draw painted slices of any number, size and type."""
    shape = draw(hnp.array_shapes(min_dims=3, max_dims=3, max_side=4))
    grey = draw(st.sampled_from([np.bool_, np.uint8, np.int16, np.float32, np.float64]))
    elements = {"allow_nan": False, "allow_infinity": False} if np.issubdtype(grey, np.floating) else {}
    return SupportPair(
        name=draw(st.text(plain, max_size=300)),
        image=draw(hnp.arrays(grey, shape, elements=hnp.from_dtype(np.dtype(grey), **elements))),
        labels=draw(hnp.arrays(st.sampled_from([np.bool_, np.uint8, np.int32, np.uint64]), shape)),
        indices=tuple(draw(st.permutations(range(shape[0])))),
        scale=draw(st.tuples(sizes, sizes, sizes)),
        units=draw(st.tuples(units, units, units)),
    )


def assert_same(back: tuple[SupportPair, ...], pairs: tuple[SupportPair, ...]) -> None:
    assert len(back) == len(pairs)
    for one, other in zip(back, pairs, strict=True):
        assert (one.name, one.indices, one.scale, one.units) == (other.name, other.indices, other.scale, other.units)
        for array, expected in ((one.image, other.image), (one.labels, other.labels)):
            assert array.dtype == expected.dtype
            np.testing.assert_array_equal(array, expected)


@st.composite
def sessions(draw) -> Session:
    """Draw a session without a run."""
    pairs = draw(st.lists(support_pairs(), min_size=1, max_size=3))
    shape = tuple(draw(st.lists(st.integers(1, 9), min_size=3, max_size=5)))
    axis = draw(st.integers(-len(shape), -1))
    stop = draw(st.integers(1, shape[axis]))
    form = FormChoices(
        query=Query(name=draw(st.text(plain, max_size=300)), shape=shape),
        axis=axis,
        span=(draw(st.integers(0, stop - 1)), stop),
        unchecked=tuple(tuple(sorted(draw(st.sets(st.integers(0, len(pair.indices) - 1))))) for pair in pairs),
        settings={"top_k": draw(st.integers(1, 99)), "window": draw(st.text(plain))},
    )
    return Session(tuple(pairs), form)


@given(sessions())
def test_a_session_comes_back_with_all_its_voxels_and_choices(session):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.npz"
        save_session(path, session)
        back = load_session(path)
        assert (back.form, back.run, back.result) == (session.form, None, None)
        for supports in (back.supports, load_supports(path)):
            assert_same(supports, session.supports)


@given(st.lists(support_pairs(), min_size=1, max_size=3))
def test_painted_slices_come_back_with_all_their_voxels(pairs):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.npz"
        save_supports(path, pairs)
        assert_same(load_supports(path), tuple(pairs))
