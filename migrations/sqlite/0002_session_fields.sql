-- What every conversation has beside its words. `settings` is a JSON object; its keys belong to who reads them.

ALTER TABLE sessions ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
