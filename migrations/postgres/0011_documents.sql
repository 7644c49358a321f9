-- Documents of the knowledge base: files, and texts without one (`name` and `kind` are NULL). `content`, the only long one,
-- stands last.
--
-- `pending`: nothing is known of it yet. `indexing`: it was read, and its passages are being made; they are found by their
-- words as soon as they are there. `ready`: all `passages` are `indexed`, their vectors are of `model` (NULL: there was none
-- to make them). `tries` and `due_at` are of the job, as those of attachments are.

CREATE TABLE documents (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- Whether everybody may read it.
    shared BOOLEAN NOT NULL DEFAULT FALSE,
    name TEXT,
    kind TEXT,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    -- A JSON object: its bibliographic fields.
    source TEXT NOT NULL DEFAULT '{}',
    state TEXT NOT NULL CHECK (state IN ('pending', 'indexing', 'ready', 'failed')),
    failure TEXT,
    -- A JSON array of sentences, and a JSON object.
    warnings TEXT NOT NULL DEFAULT '[]',
    metadata TEXT NOT NULL DEFAULT '{}',
    passages BIGINT NOT NULL DEFAULT 0,
    indexed BIGINT NOT NULL DEFAULT 0,
    model TEXT,
    tries BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    content TEXT
);
-- Nobody has the same bytes twice.
CREATE UNIQUE INDEX documents_once ON documents (user_id, sha256);
CREATE INDEX documents_by_user ON documents (user_id, id);
CREATE INDEX documents_shared ON documents (id) WHERE shared;
CREATE INDEX documents_unfinished ON documents (due_at, id) WHERE state IN ('pending', 'indexing');

-- Bytes go as those of attachments do. A text has none.
CREATE TRIGGER documents_leave_bytes AFTER DELETE ON documents
    FOR EACH ROW WHEN (OLD.kind IS NOT NULL) EXECUTE FUNCTION attachments_leave_bytes();
