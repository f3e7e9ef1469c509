"""The ES module for pages, served as it is: it needs no build."""

from pathlib import Path

from starlette.staticfiles import StaticFiles

HERE = Path(__file__).parent
# A wheel has it among our files, a checkout beside them.
FOLDERS = (HERE / "js", HERE.parent / "js" / "src")
files = StaticFiles(directory=next((one for one in FOLDERS if one.is_dir()), FOLDERS[0]))
