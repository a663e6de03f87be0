import pytest

from napari_revsam2.settings.network import NetworkSettings
from napari_revsam2.vocabulary.errors import ProblemError


@pytest.mark.parametrize("size", [0, 32, 1024])
def test_the_image_size_is_a_multiple_of_what_the_encoder_divides_by(size):
    assert NetworkSettings(image_size=size).image_size == size
    with pytest.raises(ProblemError, match="multiple of 32"):
        NetworkSettings(image_size=size + 1)
