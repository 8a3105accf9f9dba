"""``python -m glassclf`` is the command ``glassclf``."""

from glassclf.cli import main

if __name__ == "__main__":
    main()
