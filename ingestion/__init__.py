"""Inbound: everything that brings a shop's data into the raw store.

Belongs here: dlt sources, file readers, quarantine, the pretend shop, the settings file.
Does not belong here: Dagster, publishing, anything that decides who may be contacted.
"""
