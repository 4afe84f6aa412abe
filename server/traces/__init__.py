"""Traces: what OpenTelemetry's variables ask for, and the exporter of the spans that gateways and workers report."""
