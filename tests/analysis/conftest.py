import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "stores"))  # store_examples.py, which has a value for everything
