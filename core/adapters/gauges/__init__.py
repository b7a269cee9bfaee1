"""Station archives as a weather source: Parquet, CSV and the raw form of INMET, checked file by file."""
