"""Meta's own video predictor on arrays, prompted with points, a box or a mask: the baselines of Table 1."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sam2.sam2_video_predictor import SAM2VideoPredictor
from torch import Tensor

from napari_revsam2.engine.propagator import Logits, Mask
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.settings.intensity_window import Limits
from napari_revsam2.settings.network import NetworkSettings
from napari_revsam2.vocabulary.slice_stack import SliceStack

from .device import choose_device, choose_precision, translated_memory_errors
from .slice_preprocessing import check_finite, slice_to_tensor

_OBJECT = 1
"""The predictor follows several objects; we use one."""

State = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Points:
    """Clicks on a slice.

    Attributes
    ----------
    pixels : ndarray
        (P, 2) rows and columns of pixels; their centres are clicked.
    positive : ndarray
        (P,) of bool: on the structure, or beside it.
    """

    pixels: NDArray[np.integer[Any]]
    positive: NDArray[np.bool_]


@dataclass(frozen=True)
class Box:
    """A box on a slice, from its first to its last row and column, both included."""

    top: int
    left: int
    bottom: int
    right: int


Prompt = Points | Box | Mask


@dataclass(frozen=True, eq=False)
class Images:
    """Slices as the predictor sees them, (3, S, S), computed when they are asked for."""

    slices: SliceStack
    limits: Limits
    size: int

    def __len__(self) -> int:
        return len(self.slices)

    def __getitem__(self, index: int) -> Tensor:
        return slice_to_tensor(self.slices[index], self.limits, self.size)


class ArrayVideoPredictor(SAM2VideoPredictor):  # type: ignore[misc] # sam2 has no type information
    """The stock predictor, fed with tensors, its memories in the precision they were computed in.

    The stock one reads JPEG folders and MP4 only, and stores memories as bfloat16, on which a float32 network stops.
    Its post-processing is on where it applies; holes aren't filled, for which sam2 needs its CUDA extension.
    """

    def __init__(self, **settings: Any) -> None:
        # As `build_sam2_video_predictor` does; but not a network that was never taught to predict several masks.
        if settings.get("multimask_output_in_sam"):
            settings["sam_mask_decoder_extra_args"] = {
                "dynamic_multimask_via_stability": True,
                "dynamic_multimask_stability_delta": 0.05,
                "dynamic_multimask_stability_thresh": 0.98,
            }
        super().__init__(**settings)
        self._computed_memory: Tensor | None = None

    def state_of(self, images: Images, shape: tuple[int, int]) -> State:
        """Begin a video, as the stock ``init_state`` does for a file.

        Parameters
        ----------
        images : Images
            M of them.
        shape : (int, int)
            Height and width of the slices, in which prompts and results are.
        """
        return {
            "images": images,
            "num_frames": len(images),
            "video_height": shape[0],
            "video_width": shape[1],
            "device": self.device,
            "storage_device": self.device,
            "point_inputs_per_obj": {},
            "mask_inputs_per_obj": {},
            "cached_features": {},
            "constants": {},
            "obj_id_to_idx": OrderedDict(),
            "obj_idx_to_id": OrderedDict(),
            "obj_ids": [],
            "output_dict_per_obj": {},
            "temp_output_dict_per_obj": {},
            "frames_tracked_per_obj": {},
        }

    def prompt(self, state: State, frame: int, prompt: Prompt) -> Tensor:
        """Prompt a frame, in place of an earlier prompt; its mask logits (H, W)."""
        if isinstance(prompt, Points):
            clicks = prompt.pixels[:, ::-1] + 0.5  # x, y of the pixels' centres
            clicked = {"points": torch.from_numpy(clicks).float(), "labels": torch.from_numpy(prompt.positive).int()}
            _, _, logits = self.add_new_points_or_box(state, frame, _OBJECT, **clicked)
        elif isinstance(prompt, Box):
            corners = (prompt.left, prompt.top, prompt.right + 1, prompt.bottom + 1)
            _, _, logits = self.add_new_points_or_box(state, frame, _OBJECT, box=torch.tensor(corners).float())
        else:
            _, _, logits = self.add_new_mask(state, frame, _OBJECT, torch.from_numpy(np.ascontiguousarray(prompt)))
        mask_logits: Tensor = logits[0, 0]
        return mask_logits

    def sweep(self, state: State) -> list[Tensor]:
        """Segment all frames from the first one on; their mask logits (H, W).

        ``propagate_in_video`` for one object, without its progress bar.
        """
        self.propagate_in_video_preflight(state)
        outputs = state["output_dict_per_obj"][0]
        found = []
        for frame in range(state["num_frames"]):
            if frame in outputs["cond_frame_outputs"]:
                low = outputs["cond_frame_outputs"][frame]["pred_masks"]
            else:
                outputs["non_cond_frame_outputs"][frame], low = self._run_single_frame_inference(
                    inference_state=state,
                    output_dict=outputs,
                    frame_idx=frame,
                    batch_size=1,
                    is_init_cond_frame=False,
                    point_inputs=None,
                    mask_inputs=None,
                    reverse=False,
                    run_mem_encoder=True,
                )
            _, logits = self._get_orig_video_res_output(state, low)
            found.append(logits[0, 0])
        return found

    def _forward_sam_heads(self, *args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        outputs: tuple[Tensor, ...] = super()._forward_sam_heads(*args, **kwargs)
        check_finite(outputs[3], outputs[6])  # mask logits; score: where it is NaN, they say that the object is absent
        return outputs

    def _encode_new_memory(self, *args: Any, **kwargs: Any) -> tuple[Tensor, list[Tensor]]:
        memory, positions = super()._encode_new_memory(*args, **kwargs)
        self._computed_memory = memory
        return memory, positions

    def _run_memory_encoder(self, *args: Any, **kwargs: Any) -> tuple[Tensor | None, list[Tensor]]:
        _, positions = super()._run_memory_encoder(*args, **kwargs)
        return self._computed_memory, positions

    def _run_single_frame_inference(self, *args: Any, **kwargs: Any) -> tuple[State, Tensor]:
        output, masks = super()._run_single_frame_inference(*args, **kwargs)
        if output["maskmem_features"] is not None:
            output["maskmem_features"] = self._computed_memory
        return output, masks


@dataclass(frozen=True, eq=False)
class PromptedVideo:
    """Segments slices from prompts on some of them, with Meta's own predictor.

    Attributes
    ----------
    predictor : ArrayVideoPredictor
        The network on its device.
    precision : torch.dtype
        What matrix products are computed in; all else follows PyTorch's autocast.
    """

    predictor: ArrayVideoPredictor
    precision: torch.dtype = torch.float32

    @classmethod
    def load(cls, settings: NetworkSettings) -> PromptedVideo:
        """Load the checkpoint of ``settings`` onto its device.

        Raises
        ------
        CheckpointError, DeviceError
            When either isn't available.
        """
        device = choose_device(settings.device)
        predictor = load_model(settings.checkpoint, device, settings.image_size or None, ArrayVideoPredictor)
        assert isinstance(predictor, ArrayVideoPredictor)
        return cls(predictor, choose_precision(settings.precision, device))

    def propagate(self, slices: SliceStack, limits: Limits, prompts: Mapping[int, Prompt]) -> Logits:
        """Segment all slices in one sweep from the first to the last.

        Parameters
        ----------
        slices : SliceStack
            (M, H, W) grey values.
        limits : (float, float)
            Grey values seen as black and white.
        prompts : mapping of int to Prompt
            By slice; at least one. Slices before the first of them are segmented from it too.

        Returns
        -------
        ndarray
            (M, H, W) float32 mask logits; positive is foreground.

        Raises
        ------
        RunError
            When what the network computes isn't finite.
        NotEnoughMemoryError
            When a slice is too much for the device.
        """
        with self._computing():
            state = self._state_of(slices, limits)
            for frame, prompt in prompts.items():
                self.predictor.prompt(state, frame, prompt)
            return np.stack([_to_numpy(logits) for logits in self.predictor.sweep(state)])

    def open_slice(self, image: NDArray[Any], limits: Limits) -> PromptedSlice:
        """Prepare one slice (H, W), by itself, to be prompted again and again."""
        return PromptedSlice(self, self._state_of(image[None], limits))

    def _state_of(self, slices: SliceStack, limits: Limits) -> State:
        height, width = np.shape(slices[0])
        return self.predictor.state_of(Images(slices, limits, self.predictor.image_size), (height, width))

    @contextmanager
    def _computing(self) -> Iterator[None]:
        kind, half = self.predictor.device.type, self.precision is not torch.float32
        with translated_memory_errors(), torch.inference_mode(), torch.autocast(kind, self.precision, enabled=half):
            yield


@dataclass(frozen=True, eq=False)
class PromptedSlice:
    """A slice that goes through the image encoder once for all its prompts; from `PromptedVideo.open_slice`."""

    video: PromptedVideo
    _state: State = field(repr=False)

    def segment(self, prompt: Prompt) -> Logits:
        """Segment from a prompt that takes the place of the one before.

        As when a user corrects: the mask that the prompt before gave is shown to the network too.

        Returns
        -------
        ndarray
            (H, W) float32 mask logits; positive is foreground.

        Raises
        ------
        RunError
            When what the network computes isn't finite.
        NotEnoughMemoryError
            When a slice is too much for the device.
        """
        with self.video._computing():
            return _to_numpy(self.video.predictor.prompt(self._state, 0, prompt))


def _to_numpy(logits: Tensor) -> Logits:
    array: Logits = logits.float().cpu().numpy()
    return array
