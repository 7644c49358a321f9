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

-- The beginnings of the texts of files, for prompts: the texts themselves are up to 4 MiB long, and every reply reads.
CREATE TABLE attachment_excerpts (
    attachment_id TEXT NOT NULL PRIMARY KEY REFERENCES attachments (id) ON DELETE CASCADE,
    content TEXT NOT NULL,
    -- Whether the text is longer.
    cut INTEGER NOT NULL
);
INSERT INTO attachment_excerpts (attachment_id, content, cut)
SELECT id, SUBSTR(content, 1, 12000), LENGTH(content) > 12000 FROM attachments
WHERE state = 'ready' AND content IS NOT NULL;
