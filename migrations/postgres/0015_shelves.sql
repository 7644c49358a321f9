-- Whose passages are, where the search by words meets them: those of a user stand on a shelf of their own, shared ones on shelf 0.
CREATE TABLE shelves (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id TEXT NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO shelves (user_id) SELECT DISTINCT user_id FROM documents;
CREATE FUNCTION documents_stand_on_a_shelf() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shelves (user_id) VALUES (NEW.user_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER documents_stand_on_a_shelf AFTER INSERT ON documents
    FOR EACH ROW EXECUTE FUNCTION documents_stand_on_a_shelf();

CREATE VIEW shelved_documents (id, shelf) AS
SELECT documents.id, CASE WHEN documents.shared THEN 0 ELSE shelves.number END
FROM documents JOIN shelves ON shelves.user_id = documents.user_id;

-- Texts and vectors are put aside, so that counting the passages of a word reads few pages.
ALTER TABLE passages SET (toast_tuple_target = 256);
ALTER TABLE passages ALTER COLUMN vector SET STORAGE EXTERNAL;
ALTER TABLE passages ADD COLUMN shelf BIGINT NOT NULL DEFAULT 0;
UPDATE passages SET shelf = (SELECT shelf FROM shelved_documents WHERE id = passages.document_id);
CREATE INDEX passages_by_shelf ON passages (shelf);

CREATE OR REPLACE FUNCTION passages_are_searched() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    SELECT passage_words(documents.source, NEW.heading, NEW.content), shelved_documents.shelf INTO NEW.words, NEW.shelf
    FROM documents JOIN shelved_documents ON shelved_documents.id = documents.id WHERE documents.id = NEW.document_id;
    -- Without its document it has no words and no shelf, and is refused for that below.
    NEW.words := COALESCE(NEW.words, '');
    NEW.shelf := COALESCE(NEW.shelf, 0);
    RETURN NEW;
END
$$;
CREATE FUNCTION documents_change_their_shelf() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE passages SET shelf = (SELECT shelf FROM shelved_documents WHERE id = NEW.id) WHERE document_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER documents_change_their_shelf AFTER UPDATE OF shared ON documents
    FOR EACH ROW WHEN (OLD.shared <> NEW.shared) EXECUTE FUNCTION documents_change_their_shelf();

-- No number is ever given twice, so that signs that were read once need not be read again.
ALTER TABLE document_signs ADD COLUMN number BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE;
CREATE INDEX document_signs_by_model ON document_signs (model, dimensions, document_id);
