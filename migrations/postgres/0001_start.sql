-- Users, their keys, their sessions, what was said.
--
-- Ids are UUIDv7 as text; times are whole milliseconds since 1970-01-01 UTC. Both read the same in SQLite. Ids sort by
-- their bytes in every locale.

CREATE TABLE users (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('admin', 'user', 'viewer')),
    created_at BIGINT NOT NULL
);

-- The key made at first start. One row a user at most; `hash` is SHA-256 of the key.
CREATE TABLE admin_keys (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX api_keys_by_user ON api_keys (user_id, id);

CREATE TABLE sessions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT,
    -- False once a record of it could not be kept.
    complete BOOLEAN NOT NULL DEFAULT TRUE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id, id);

-- `position` orders a session's messages; it may be negative (put at the front) and has gaps (deleted).
CREATE TABLE messages (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    item_id TEXT,
    client_message_id TEXT,
    parent_message_id TEXT COLLATE "C" REFERENCES messages (id) ON DELETE SET NULL,
    role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
    modality TEXT NOT NULL CHECK (modality IN ('text', 'audio')),
    content TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('in_progress', 'completed', 'incomplete')),
    call_id TEXT,
    call_name TEXT,
    call_arguments TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX messages_by_position ON messages (session_id, position, id);
CREATE UNIQUE INDEX messages_by_item ON messages (session_id, item_id);
CREATE UNIQUE INDEX messages_by_client_id ON messages (session_id, client_message_id);
CREATE INDEX messages_by_parent ON messages (parent_message_id);
