"""Problems that a user can mend: each says in one sentence what is wrong and what to do."""


class RevSAM2Error(Exception):
    """A problem the user can mend; its text is one sentence that says what is wrong and what to do."""


class VolumeFileError(RevSAM2Error):
    """A file that can't be read or written as a volume."""


class ProblemError(RevSAM2Error):
    """Supports, query and settings that don't fit together."""


class CheckpointError(RevSAM2Error):
    """A checkpoint that is unknown, missing, damaged or of another architecture."""


class DeviceError(RevSAM2Error):
    """A device that was asked for and isn't there."""


class NotEnoughMemoryError(RevSAM2Error):
    """Not even a single slice fits the device's memory."""


class EmbeddingFilesError(RevSAM2Error):
    """Embeddings on disk that can't be written, or are gone."""
