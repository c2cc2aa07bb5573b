"""Messages that Regulars itself words: text messages and push notices.

Belongs here: the shop's templates, the sandbox they are rendered in, and how long a message is.
Does not belong here: who gets one (`orchestration.activation`), sending it (`destinations`), and
emails, whose content stays with the shop's email system.
"""
