"""Doors through which Hydra finds Runyard. No logic: Hydra imports them at every start of every application."""
