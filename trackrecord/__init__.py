"""Trackrecord: a self-hosted record of what a product's customers did, behind Intercom's Data Events wire."""

__version__ = "0.1.0"
