"""The napari plugin: the only part that knows napari, magicgui and Qt; it adds nothing to the method."""
