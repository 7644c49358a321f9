-- What was done by tools on the way to a message, and what its words propose. `output` of what is proposed is the question.

CREATE TABLE acts (
    message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    call_id TEXT NOT NULL,
    name TEXT NOT NULL,
    arguments TEXT NOT NULL,
    output TEXT NOT NULL,
    state TEXT NOT NULL,
    -- Whether it is of those that change something.
    writes BOOLEAN NOT NULL,
    -- Whether only cleared engines may read the output.
    confidential BOOLEAN NOT NULL,
    PRIMARY KEY (message_id, position)
);

-- Proposals that somebody agreed to: each is done at most once, whatever becomes of its message.
CREATE TABLE agreements (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    call_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, call_id)
);
