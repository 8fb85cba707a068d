"""Pieces of machine code, each written for the builder of assembly."""
