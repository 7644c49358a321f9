-- What every conversation has beside its words. `settings` is a JSON object; its keys belong to who reads them.

ALTER TABLE sessions ADD COLUMN archived BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE sessions ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
