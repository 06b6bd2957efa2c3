"""
The deployment as the world sees it: names, certificates, and what the proxy makes of a request.

Asked by `insula check deployment`, of whatever network it runs in; nothing here changes anything.
"""

from insula.platform.deployment.checks import findings

__all__ = ["findings"]
