"""``python -m lucidgrad`` is ``lucidgrad``."""

from lucidgrad.cli.main import main

if __name__ == "__main__":
    main()
