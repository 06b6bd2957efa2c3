"""
The pages' shell: templates, macros, stylesheets, fonts and icons.

Owns    the page frame and every macro, the design tokens, the static files and
        the tenant's stylesheet
Serves  /static/<tree hash>/…; the app mounts `assets.Assets` there, and answers
        /branding/<hash>.css with `branding.stylesheet`
Tables  none
Refuses to know what a page is about: it imports no domain, and a package's own
        templates stand in that package and are only looked up from here
"""
