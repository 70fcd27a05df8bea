"""The program that runs a function as an application of Hydra: ``python -m runyard.front.host FILE [overrides] -m``.

It is the same program when the sweep is taken up again, and in every worker; FILE then is the sweep's own copy.
It has no names of its own: those of the script or notebook that the function came from are put here.
"""

if __name__ == "__main__":
    import sys

    from runyard.front.hosting import run

    sys.exit(run())
