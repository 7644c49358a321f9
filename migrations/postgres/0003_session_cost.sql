-- What a conversation has cost so far: a JSON object (currency, total, unknown, by_provider), null while it cost nothing.

ALTER TABLE sessions ADD COLUMN cost TEXT;
