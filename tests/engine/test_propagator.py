import pytest

from napari_revsam2.engine.propagator import in_batches


@pytest.mark.parametrize(("count", "size", "lengths"), [(7, 3, [3, 3, 1]), (6, 3, [3, 3]), (2, 5, [2]), (0, 5, [])])
def test_batches_hold_all_items_in_order(count, size, lengths):
    batches = list(in_batches(range(count), size))
    assert [len(batch) for batch in batches] == lengths
    assert [item for batch in batches for item in batch] == list(range(count))
