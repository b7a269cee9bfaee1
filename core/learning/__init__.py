"""Learning: estimators, calibration, the tail, and the exceedance model that joins them. Pure functions."""
