"""Where the files are that a program names."""

import os


def beside(module_file: str, folder: str, path: str) -> str:
    """A path that stands in a program: relative to the folder of the file that names it.

    `folder` is where that file lies, seen from the folder of `module_file`, the running module.
    """
    return os.path.join(os.path.dirname(os.path.abspath(module_file)), folder, path)
