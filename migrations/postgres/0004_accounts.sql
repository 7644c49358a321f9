-- People who log in by e-mail and password. `email_key` is the e-mail without its case. Users without are machines, and the
-- owner that the admin key stands for.

ALTER TABLE users ADD COLUMN email TEXT;
ALTER TABLE users ADD COLUMN email_key TEXT;
ALTER TABLE users ADD COLUMN full_name TEXT;
-- Argon2id in the PHC string format.
ALTER TABLE users ADD COLUMN password TEXT;
ALTER TABLE users ADD COLUMN active BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE users ADD COLUMN last_login_at BIGINT;
CREATE UNIQUE INDEX users_by_email ON users (email_key);

-- A login lasts until its row is gone: by logout, a change of password, or a refresh token that came twice.
CREATE TABLE logins (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL
);
CREATE INDEX logins_by_user ON logins (user_id, id);

-- `hash` is SHA-256 of the token. Those that were used are kept until they expire, so that one that comes again is known.
CREATE TABLE refresh_tokens (
    hash BYTEA NOT NULL PRIMARY KEY,
    login_id TEXT COLLATE "C" NOT NULL REFERENCES logins (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX refresh_tokens_by_login ON refresh_tokens (login_id, expires_at);

-- Ed25519 keys that sign access tokens: the newest signs, those that are here are good. `secret` is PKCS#8.
CREATE TABLE signing_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    secret BYTEA NOT NULL,
    public BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
