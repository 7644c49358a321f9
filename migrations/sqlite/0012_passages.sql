-- Passages of documents: what is found, by its words and by its meaning. `vector`, which comes later than the rest, stands
-- last; where a passage begins and ends is counted in characters of its document's text.

CREATE TABLE passages (
    -- What the index of words knows it by.
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    heading TEXT,
    page BIGINT,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    content TEXT NOT NULL,
    -- 32-bit floats, little endian; at length 1.
    vector BLOB,
    UNIQUE (document_id, position)
);

-- The signs of all vectors of a document, one after the other, each in whole 64-bit words: what the search by meaning walks
-- over, before it reads the vectors of the few that are near. There is a row once all passages have a vector of `model`.
CREATE TABLE document_signs (
    document_id TEXT NOT NULL PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    model TEXT NOT NULL,
    dimensions BIGINT NOT NULL,
    signs BLOB NOT NULL
);

-- `tags` says who may find a passage and what the search can be narrowed to: the owner, whether it is shared, the document,
-- the type of its source. The index holds no text, only where words are.
CREATE VIRTUAL TABLE passage_words USING fts5 (
    tags, title, heading, content, content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE VIEW told_passages (number, document_id, tags, title, heading, content) AS
SELECT
    passages.number, documents.id,
    'u' || replace(documents.user_id, '-', '') || CASE WHEN documents.shared THEN ' shared' ELSE '' END
    || ' d' || replace(documents.id, '-', '') || ' t' || hex(COALESCE(json_extract(documents.source, '$.source_type'), '')),
    COALESCE(json_extract(documents.source, '$.title'), ''), COALESCE(passages.heading, ''), passages.content
FROM passages JOIN documents ON documents.id = passages.document_id;

CREATE TRIGGER passages_are_searched AFTER INSERT ON passages BEGIN
    INSERT INTO passage_words (rowid, tags, title, heading, content)
    SELECT number, tags, title, heading, content FROM told_passages WHERE number = NEW.number;
END;
CREATE TRIGGER passages_are_searched_no_more AFTER DELETE ON passages BEGIN
    DELETE FROM passage_words WHERE rowid = OLD.number;
END;
CREATE TRIGGER documents_are_searched_anew AFTER UPDATE OF shared, source ON documents
WHEN OLD.shared <> NEW.shared OR OLD.source <> NEW.source BEGIN
    INSERT OR REPLACE INTO passage_words (rowid, tags, title, heading, content)
    SELECT number, tags, title, heading, content FROM told_passages WHERE document_id = NEW.id;
END;
