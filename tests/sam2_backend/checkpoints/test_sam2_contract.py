"""Another sam2 than the one that is needed is refused when a network is loaded, in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from functools import wraps
from importlib.metadata import version
from typing import Any

import pytest
from sam2.modeling.backbones.image_encoder import FpnNeck
from sam2.modeling.sam2_base import SAM2Base
from sam2.sam2_video_predictor import SAM2VideoPredictor

from napari_revsam2.sam2_backend.checkpoints import sam2_contract
from napari_revsam2.sam2_backend.checkpoints.architectures import ARCHITECTURES, Architecture
from napari_revsam2.sam2_backend.checkpoints.sam2_contract import check_contract
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.vocabulary.errors import RevSAM2Error


@pytest.fixture(autouse=True)
def looked_at_anew() -> Iterator[None]:
    """Forget what was found of sam2 before and in a test."""
    sam2_contract._differing_outputs.cache_clear()
    yield
    sam2_contract._differing_outputs.cache_clear()


def refused(what: str) -> Any:
    """Expect the sentence."""
    sentence = rf"^The installed sam2 {version('sam2')} differs .*\({what}\): install .* 'sam2>=1\.1,<1\.2'\.$"
    return pytest.raises(RevSAM2Error, match=sentence)


@pytest.mark.parametrize("architecture", ARCHITECTURES[:2] + ARCHITECTURES[5:6], ids=lambda a: a.name)
@pytest.mark.parametrize("target", [SAM2Base, SAM2VideoPredictor])
def test_the_installed_sam2_is_the_one_that_is_needed(architecture: Architecture, target: type[SAM2Base]) -> None:
    check_contract(architecture.build(image_size=64, target=target))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (SAM2Base, "_use_multimask"),
        (SAM2Base, "_encode_new_memory"),
        (SAM2VideoPredictor, "_run_single_frame_inference"),
        (SAM2VideoPredictor, "_get_orig_video_res_output"),
    ],
)
def test_a_private_method_with_other_arguments_or_none_is_refused(
    kind: type[SAM2Base], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kind, name, lambda self, renamed: None)
    with refused(rf"{kind.__name__}\.{name}"):
        load_model("revsam2-mini")
    monkeypatch.delattr(kind, name)
    with refused(rf"{kind.__name__}\.{name}"):
        load_model("revsam2-mini")


@pytest.mark.parametrize("name", ["_forward_sam_heads", "_use_mask_as_output"])
@pytest.mark.parametrize("order", [(3, 1, 2, 0, 4, 6, 5), (0, 1, 2, 4, 3, 5, 6), (0, 1, 2, 3, 4, 5)])
def test_outputs_in_another_order_or_number_are_refused(
    name: str, order: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = getattr(SAM2Base, name)

    @wraps(original)
    def shuffled(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
        outputs = original(*args, **kwargs)
        return tuple(outputs[i] for i in order)

    monkeypatch.setattr(SAM2Base, name, shuffled)
    with refused(rf"what SAM2Base\.{name} returns"):
        load_model("revsam2-mini")


@pytest.mark.parametrize(("attribute", "value"), [("fuse_type", "avg"), ("fpn_top_down_levels", [0, 1, 2, 3])])
def test_a_neck_of_another_layout_is_refused(attribute: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    build = FpnNeck.__init__

    def differently(self: FpnNeck, *args: Any, **settings: Any) -> None:
        build(self, *args, **settings)
        setattr(self, attribute, value)

    monkeypatch.setattr(FpnNeck, "__init__", differently)
    with refused("the layout of the image encoder's neck"):
        load_model("revsam2-mini")
