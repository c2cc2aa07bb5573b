"""What a shop knows about a person, in words for that person (`explain --for-customer`).

Belongs here: which of a person's rows are told, under which heading and in which words, and the
layouts. Does not belong here: which rows are a person's (`who.subject`), what may be sent (the gate
is asked before).
"""
