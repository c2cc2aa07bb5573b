"""The keys of assets that several files of this folder name.

Belongs here: keys and groups alone. Does not belong here: what is made under them.
"""

import dagster as dg

PUBLISH = "publish"
CANDIDATE = dg.AssetKey([PUBLISH, "candidate"])
PUBLISHED = dg.AssetKey([PUBLISH, "published"])

# The metadata of an asset with the address of the page that shows what it says
PAGE = "page"
