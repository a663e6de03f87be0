from napari_revsam2.engine.top_k_selection import select_at_random, select_top_k


def test_the_highest_scores_are_chosen_in_slice_order():
    assert select_top_k({0: 0.1, 3: 0.9, 5: 0.5, 8: 0.7}, 2) == (3, 8)


def test_ties_go_to_the_lower_index():
    assert select_top_k({4: 0.5, 2: 0.5, 9: 0.5}, 2) == (2, 4)


def test_fewer_than_k_candidates_are_all_chosen():
    assert select_top_k({4: 0.0, 2: 0.5}, 7) == (2, 4)
    assert select_at_random([6, 1], 7, seed=0) == (1, 6)


def test_no_candidate_gives_no_slice():
    assert select_top_k({}, 3) == ()
    assert select_at_random([], 3, seed=0) == ()
