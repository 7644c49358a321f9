-- Files that came with messages. `content` and `thumbnail`, the only long ones, stand last.
--
-- `tries` and `due_at` are of the job that reads a pending file: how often it was begun, and when somebody may begin it
-- (again). Whoever does moves `due_at` on, so that one that dies is not waited for longer than that.

CREATE TABLE attachments (
    id TEXT NOT NULL PRIMARY KEY,
    message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'ready', 'failed')),
    failure TEXT,
    -- A JSON array of sentences, and a JSON object.
    warnings TEXT NOT NULL DEFAULT '[]',
    metadata TEXT NOT NULL DEFAULT '{}',
    tries BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    content TEXT,
    thumbnail BLOB
);
CREATE INDEX attachments_by_message ON attachments (message_id, id);
CREATE INDEX attachments_pending ON attachments (due_at, id) WHERE state = 'pending';

-- Bytes in storage that no row owns: what is being uploaded, and what was deleted. Bytes are written only under an id that
-- stands here, and the row that owns them takes its place in one transaction; whatever is still here when it is due is
-- removed. So a process may die at any instant and leave nothing behind for ever.
CREATE TABLE stray_files (
    id TEXT NOT NULL PRIMARY KEY,
    due_at BIGINT NOT NULL
);
CREATE INDEX stray_files_by_time ON stray_files (due_at);

-- A trigger, since rows go by many ways: alone, with their message, its session, or its user.
CREATE TRIGGER attachments_leave_bytes AFTER DELETE ON attachments BEGIN
    INSERT INTO stray_files (id, due_at) VALUES (OLD.id, 0);
END;
