"""The form that the list of painted slices is a part of."""

from tests.plugin.form.conftest import form, sample, settled, stored, viewer

__all__ = ["form", "sample", "settled", "stored", "viewer"]
