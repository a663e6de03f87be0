"""Problems that a user can fix: each says in one sentence what is wrong and what to do."""


class RevSAM2Error(Exception):
    """A problem the user can fix; its text is one sentence that says what is wrong and what to do."""


class VolumeFileError(RevSAM2Error):
    """A file that can't be read or written as a volume."""


class ProblemError(RevSAM2Error):
    """Supports, query and settings that don't fit together."""


class CheckpointError(RevSAM2Error):
    """A checkpoint that is unknown, missing, damaged or of another architecture."""


class DeviceError(RevSAM2Error):
    """A device that was asked for and isn't there."""


class NotEnoughMemoryError(RevSAM2Error):
    """Memory, of the device or the machine, that isn't enough even for one slice at a time."""

    def __init__(
        self,
        text: str = "The memory isn't enough even for one slice at a time: close other programs, or choose a smaller "
        "checkpoint or image size, fewer supports (N), or the device cpu.",
    ) -> None:
        super().__init__(text)


class RunError(RevSAM2Error):
    """A run that failed although its inputs and settings were accepted."""


def is_memory_shortage(error: BaseException) -> bool:
    """Whether an error says that memory isn't enough: ours, Python's, or PyTorch's (by name, as that isn't loaded)."""
    return isinstance(error, NotEnoughMemoryError | MemoryError) or type(error).__name__ == "OutOfMemoryError"


class EmbeddingFilesError(RevSAM2Error):
    """Embeddings on disk that can't be written, or are gone."""
