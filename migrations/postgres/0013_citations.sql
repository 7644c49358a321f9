-- Where messages have something from. Each says all of it: `source_id` and `passage_id` refer to nothing, so that a citation is
-- readable for as long as its message is, whatever becomes of the document. `position` is the number in the message's words.

CREATE TABLE citations (
    id TEXT NOT NULL PRIMARY KEY,
    message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    source_id TEXT,
    passage_id TEXT,
    -- A JSON object: its bibliographic fields.
    source TEXT NOT NULL,
    -- 0 to 100.
    relevance_score DOUBLE PRECISION,
    quoted_text TEXT,
    context TEXT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX citations_by_message ON citations (message_id, position);
