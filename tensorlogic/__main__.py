"""`python -m tensorlogic` is `tlc`."""

import sys

from tensorlogic.cli.main import main

sys.exit(main())
