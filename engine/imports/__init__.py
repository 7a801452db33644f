"""Inbound create by hand: lists of records, read and brought in."""
