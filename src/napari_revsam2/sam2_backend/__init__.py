"""SAM 2 behind the engine's Propagator; the only importer of the sam2 package."""
