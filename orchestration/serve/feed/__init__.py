"""The on-site feed: what the shop's pages may show one visitor, asked by browser or by customer.

Belongs here: answering from the file that the destination `onsite` keeps and from the refusals of
this moment. Does not belong here: that file (`orchestration.destinations.feed_file`), who is in it.
"""
