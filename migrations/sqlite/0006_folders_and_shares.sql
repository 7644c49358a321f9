-- Where conversations are filed, and links by which others read one.

-- `name` is in Unicode's composed form (NFC). References between folders are looked at when a transaction ends, so that a
-- folder can go before its children find their new place.
CREATE TABLE folders (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    parent_id TEXT REFERENCES folders (id) DEFERRABLE INITIALLY DEFERRED,
    name TEXT NOT NULL,
    color TEXT,
    icon TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
-- One name is one folder among those of a parent, and among those at the top: NULL would differ from NULL.
CREATE UNIQUE INDEX folders_by_name ON folders (user_id, COALESCE(parent_id, ''), name);
CREATE INDEX folders_by_parent ON folders (parent_id);

ALTER TABLE sessions ADD COLUMN folder_id TEXT REFERENCES folders (id) ON DELETE SET NULL;
CREATE INDEX sessions_by_folder ON sessions (folder_id);

-- `token_hash` is SHA-256 of the token in the link, `password_hash` argon2id of its password.
CREATE TABLE shares (
    id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL UNIQUE,
    password_hash TEXT,
    allow_anonymous INTEGER NOT NULL,
    accesses BIGINT NOT NULL DEFAULT 0,
    last_access_at BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX shares_by_session ON shares (session_id, id);
CREATE INDEX shares_by_end ON shares (expires_at);
