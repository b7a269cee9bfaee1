"""Monitoring: whether the house is well, what its jobs did, and what it may still ask of its source."""

from ui import components, monitoring, shell

core, now = shell.enter("Monitoring", live=True)

every_s = monitoring.controls()
monitoring.show(core, now, every_s)
components.provenance(core, now.forecast)
