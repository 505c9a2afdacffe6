"""Real data as dataset folders: one file a kind of source, each ending in :mod:`generator.dataset`."""
