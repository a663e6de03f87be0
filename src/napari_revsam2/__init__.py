"""RevSAM2: segment a CT or MRI volume from a few painted slices, on SAM 2, without training.

The public names are listed in ``__init__.pyi`` and imported when first used, so that ``import napari_revsam2`` loads no
torch.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
