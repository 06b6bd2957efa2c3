import importlib
import pkgutil

import insula
from insula.kernel.settings import Section
from insula.platform import configuration_docs


def test_the_page_is_what_the_code_says():
    """Because it is generated: `python -m insula.platform.configuration_docs` mends it."""
    assert configuration_docs.PAGE.read_text() == configuration_docs.markdown()


def test_every_section_is_on_the_page():
    for module in pkgutil.walk_packages(insula.__path__, "insula."):
        if module.name.endswith(".settings"):
            importlib.import_module(module.name)

    ours = {s for s in Section.__subclasses__() if s.__module__.startswith("insula.")}
    assert ours == set(configuration_docs.SECTIONS)
