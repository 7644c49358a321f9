-- Whose passages are, where the index of words finds them: those of a user stand on a shelf of their own, shared ones on shelf 0.
-- A row of the index is numbered by its shelf, times 2^32, and its passage, so that a search reads two ranges of it and meets
-- nobody else's.
CREATE TABLE shelves (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO shelves (user_id) SELECT DISTINCT user_id FROM documents;
CREATE TRIGGER documents_stand_on_a_shelf AFTER INSERT ON documents BEGIN
    INSERT INTO shelves (user_id) VALUES (NEW.user_id) ON CONFLICT DO NOTHING;
END;

DROP TRIGGER passages_are_searched;
DROP TRIGGER passages_are_searched_no_more;
DROP TRIGGER documents_are_searched_anew;
DROP VIEW told_passages;
DROP TABLE passage_words;

CREATE VIEW shelved_documents (id, shelf) AS
SELECT documents.id, CASE WHEN documents.shared THEN 0 ELSE shelves.number END
FROM documents JOIN shelves ON shelves.user_id = documents.user_id;

-- Kept with the passage too: it is not to be had any more when a document vanishes with its owner.
ALTER TABLE passages ADD COLUMN shelf BIGINT NOT NULL DEFAULT 0;
UPDATE passages SET shelf = (SELECT shelf FROM shelved_documents WHERE id = passages.document_id);

-- `tags` are what a search can be narrowed to: the document, the type of its source; `all` is a tag of every passage.
CREATE VIRTUAL TABLE passage_words USING fts5 (
    tags, title, heading, content, content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE VIEW told_passages (number, document_id, place, tags, title, heading, content) AS
SELECT
    passages.number, documents.id, (passages.shelf << 32) + passages.number,
    'all d' || replace(documents.id, '-', '') || ' t' || hex(COALESCE(json_extract(documents.source, '$.source_type'), '')),
    COALESCE(json_extract(documents.source, '$.title'), ''), COALESCE(passages.heading, ''), passages.content
FROM passages JOIN documents ON documents.id = passages.document_id;
INSERT INTO passage_words (rowid, tags, title, heading, content)
SELECT place, tags, title, heading, content FROM told_passages;

CREATE TRIGGER passages_are_searched AFTER INSERT ON passages BEGIN
    UPDATE passages SET shelf = (SELECT shelf FROM shelved_documents WHERE id = NEW.document_id) WHERE number = NEW.number;
    INSERT INTO passage_words (rowid, tags, title, heading, content)
    SELECT place, tags, title, heading, content FROM told_passages WHERE number = NEW.number;
END;
CREATE TRIGGER passages_are_searched_no_more AFTER DELETE ON passages BEGIN
    DELETE FROM passage_words WHERE rowid = (OLD.shelf << 32) + OLD.number;
END;
CREATE TRIGGER documents_are_searched_anew AFTER UPDATE OF shared, source ON documents
WHEN OLD.shared <> NEW.shared OR OLD.source <> NEW.source BEGIN
    DELETE FROM passage_words WHERE rowid IN (SELECT place FROM told_passages WHERE document_id = NEW.id);
    UPDATE passages SET shelf = (SELECT shelf FROM shelved_documents WHERE id = NEW.id) WHERE document_id = NEW.id;
    INSERT INTO passage_words (rowid, tags, title, heading, content)
    SELECT place, tags, title, heading, content FROM told_passages WHERE document_id = NEW.id;
END;

-- No number is ever given twice, so that signs that were read once need not be read again.
CREATE TABLE numbered_signs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id TEXT NOT NULL UNIQUE REFERENCES documents (id) ON DELETE CASCADE,
    model TEXT NOT NULL,
    dimensions BIGINT NOT NULL,
    signs BLOB NOT NULL
);
INSERT INTO numbered_signs (document_id, model, dimensions, signs)
SELECT document_id, model, dimensions, signs FROM document_signs;
DROP TABLE document_signs;
ALTER TABLE numbered_signs RENAME TO document_signs;
CREATE INDEX document_signs_by_model ON document_signs (model, dimensions, document_id);
