"""What can become of an event once it was sent. The same words stand in answers, logs, figures and tests."""

STORED = "stored"  # kept; it is in lists, summaries, totals and exports
DUPLICATE = "duplicate"  # its key was kept before; the first copy stands, this one changed nothing
REFUSED = "refused"  # an item of a job or a line of an import that was not kept; its error says what to change
ERASED = "erased"  # it was kept, and was erased with its contact; or it came for a contact being erased

# Why a metadata key of a stored event was not kept.
DROP_REASONS = {
    "past_limit": "an event keeps the first keys in the order sent, up to the limit; this one came after them",
    "null_value": "null carries no value; the key counted towards the limit",
    "same_key": "keys that differ only in case or in characters that become - are one key; a later one of them took its place",
}
