"""The command line, as ``python -m napari_micromap``."""

import sys

from napari_micromap.cli import main

sys.exit(main())
