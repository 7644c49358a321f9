-- Words of titles and messages, found by their beginnings. `searched` says what a row of the index is of: a message, or the
-- title of a session. The index holds no text, only where words are.

CREATE TABLE searched (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    message_id TEXT UNIQUE REFERENCES messages (id) ON DELETE CASCADE
);
CREATE INDEX searched_by_session ON searched (session_id);
CREATE VIRTUAL TABLE words USING fts5 (content, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0');

CREATE TRIGGER messages_are_searched AFTER INSERT ON messages BEGIN
    INSERT INTO searched (session_id, message_id) VALUES (NEW.session_id, NEW.id);
    INSERT INTO words (rowid, content) VALUES (last_insert_rowid(), NEW.content);
END;
CREATE TRIGGER messages_are_searched_anew AFTER UPDATE OF content ON messages WHEN OLD.content <> NEW.content BEGIN
    INSERT OR REPLACE INTO words (rowid, content) SELECT id, NEW.content FROM searched WHERE message_id = NEW.id;
END;
CREATE TRIGGER titles_are_searched AFTER INSERT ON sessions BEGIN
    INSERT INTO searched (session_id) VALUES (NEW.id);
    INSERT INTO words (rowid, content) VALUES (last_insert_rowid(), COALESCE(NEW.title, ''));
END;
CREATE TRIGGER titles_are_searched_anew AFTER UPDATE OF title ON sessions WHEN OLD.title IS NOT NEW.title BEGIN
    INSERT OR REPLACE INTO words (rowid, content)
    SELECT id, COALESCE(NEW.title, '') FROM searched WHERE session_id = NEW.id AND message_id IS NULL;
END;
CREATE TRIGGER what_goes_is_not_searched AFTER DELETE ON searched BEGIN
    DELETE FROM words WHERE rowid = OLD.id;
END;

INSERT INTO searched (session_id) SELECT id FROM sessions;
INSERT INTO searched (session_id, message_id) SELECT session_id, id FROM messages;
INSERT INTO words (rowid, content)
SELECT searched.id, COALESCE(messages.content, sessions.title, '') FROM searched
JOIN sessions ON sessions.id = searched.session_id LEFT JOIN messages ON messages.id = searched.message_id;
