"""From what authors write (`solutions/`) to what students get (`notebooks/`, a release)."""
