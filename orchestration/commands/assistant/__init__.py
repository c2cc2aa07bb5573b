"""`regulars mcp`: read-only tools for a person's assistant, over the Model Context Protocol.

Belongs here: which tools there are (`tools`), how large an answer may be (`bounds`), what is worked
out in a process that reaches nothing else (`apart`), the protocol (`server`) and the command. Does
not belong here: what the tools tell, which other commands tell too, and anything that writes,
sends, forgets or grants.
"""
