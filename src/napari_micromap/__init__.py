"""Maps of micrographs: which microstructures go along with a property?"""

from importlib.metadata import version as _version

__version__ = _version("napari-micromap")
