-- Voice sessions: each time somebody talked in a conversation. `cost` is a JSON object, null while it cost nothing.

CREATE TABLE voice_sessions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    transport TEXT NOT NULL,
    model TEXT NOT NULL,
    cost TEXT,
    started_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX voice_sessions_by_user ON voice_sessions (user_id, id);
CREATE INDEX voice_sessions_by_session ON voice_sessions (session_id);

-- What is typed takes its place among what is spoken by the same name.
UPDATE messages SET item_id = 'item_' || REPLACE(id, '-', '') WHERE item_id IS NULL;
