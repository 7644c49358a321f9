-- What is known of the patient a conversation is about, or (without `session_id`) all conversations of a user that have no
-- context of their own. `facts` is a JSON object.

CREATE TABLE clinical_contexts (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT REFERENCES sessions (id) ON DELETE CASCADE,
    facts TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
-- One of each: NULL would differ from NULL.
CREATE UNIQUE INDEX clinical_contexts_by_session ON clinical_contexts (user_id, COALESCE(session_id, ''));
-- For what goes with its session.
CREATE INDEX clinical_contexts_of_session ON clinical_contexts (session_id);
