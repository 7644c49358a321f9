"""What schemathesis does not know by itself."""

import schemathesis


@schemathesis.serializer("application/sdp")
def sdp(_context, value):
    """Session descriptions are text."""
    return value if isinstance(value, bytes) else str(value).encode()
