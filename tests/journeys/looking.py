"""What every page must have, whoever looks at it and with whatever (WCAG 2.2, style.md 10)."""

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

_FACTS = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const ids = all('[id]').map((it) => it.id);
  return {
    language: document.documentElement.lang,
    headings: all('h1').map((it) => it.textContent.trim()),
    main: all('main').length,
    doubled: ids.filter((id, n) => ids.indexOf(id) !== n),
    unlabelled: all('input:not([type=hidden], [aria-hidden=true]), textarea, select')
      .filter((it) => it.labels.length === 0 && !it.ariaLabel).map((it) => it.outerHTML),
    purposeless: all('input[type=text], input[type=password], input[type=email]')
      .filter((it) => !it.autocomplete).map((it) => it.outerHTML),
    unexplained: all('[aria-describedby]')
      .filter((it) => !document.getElementById(it.getAttribute('aria-describedby')))
      .map((it) => it.outerHTML),
    placeholders: all('[placeholder]')
      .filter((it) => it.labels.length === 0 && !it.ariaLabel).length,
    nameless: all('a, button').filter((it) => it.checkVisibility()
      && !it.textContent.trim() && !it.ariaLabel).map((it) => it.outerHTML),
    inline: all('[style], [onclick], style').length,
    refreshes: all('meta[http-equiv]').length,
    sideways: document.documentElement.scrollWidth - window.innerWidth,
  }
}"""


def look_at(page, heading, *, title=None):
    """Check the page that is shown, whose heading this is; its title begins with *title*."""
    page.get_by_role("heading", level=1, name=heading).wait_for()
    facts = page.evaluate(_FACTS)
    assert facts.pop("language") == "en"
    assert len(facts.pop("headings")) == 1
    assert facts.pop("main") == 1
    assert facts.pop("sideways") <= 0
    assert not any(facts.values()), facts
    assert page.title().startswith(title or heading)
    return page
