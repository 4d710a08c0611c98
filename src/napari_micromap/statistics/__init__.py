"""What a property or a selection says, tested by sample."""

from napari_micromap.statistics.evidence import Evidence, StructureTest
from napari_micromap.statistics.nuisance import Nuisance, NuisanceColumn, nuisance_of
from napari_micromap.statistics.units import Units, units_of

__all__ = ["Evidence", "Nuisance", "NuisanceColumn", "StructureTest", "Units", "nuisance_of", "units_of"]
