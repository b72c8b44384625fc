"""The ledger: what was sent to which CRM, when, for which scores, and what the CRM answered, lead by lead.

Whatever is to be sent is frozen here first. So a run that was killed is taken up again with the very values it had, and
what nobody knows (a batch that was on its way) is known to be unknown.
"""
