-- Typed replies, and answers that are given again.

-- `answering` is the reply that is being made, `answering_until` when whoever makes it counts as gone. `typed_cost` is what
-- typed replies have cost, a JSON object.
ALTER TABLE sessions ADD COLUMN answering TEXT;
ALTER TABLE sessions ADD COLUMN answering_until BIGINT;
ALTER TABLE sessions ADD COLUMN typed_cost TEXT;

-- Requests that were sent with an `Idempotency-Key`. `fingerprint` is SHA-256 of the request; `status` is null while it runs,
-- `headers` (a JSON array) and `body` are null where the answer is not kept.
CREATE TABLE idempotent_requests (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    run TEXT NOT NULL,
    running_until BIGINT NOT NULL,
    status BIGINT,
    headers TEXT,
    body BLOB,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, name)
);
CREATE INDEX idempotent_requests_by_end ON idempotent_requests (expires_at);
