"""What each command of `regulars` prints: tables, summaries, sentences.

Belongs here: the words and layout of a terminal. Does not belong here: the work itself, which is in
the folder the command is about.
"""
