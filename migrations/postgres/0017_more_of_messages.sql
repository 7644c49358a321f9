-- Whether there ever was more with a message than its words: files, what it cites, what tools did on the way to it. Most have
-- nothing of it, and who reads many then asks for nothing. What is deleted again is not noted.

ALTER TABLE messages ADD COLUMN has_files BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE messages ADD COLUMN has_citations BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE messages ADD COLUMN has_acts BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE messages SET has_files = TRUE WHERE id IN (SELECT message_id FROM attachments);
UPDATE messages SET has_citations = TRUE WHERE id IN (SELECT message_id FROM citations);
UPDATE messages SET has_acts = TRUE WHERE id IN (SELECT message_id FROM acts);
