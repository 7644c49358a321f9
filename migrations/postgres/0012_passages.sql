-- Passages of documents: what is found, by its words and by its meaning. `vector`, which comes later than the rest, stands
-- last; where a passage begins and ends is counted in characters of its document's text.

CREATE TABLE passages (
    id TEXT NOT NULL PRIMARY KEY,
    document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    heading TEXT,
    page BIGINT,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    content TEXT NOT NULL,
    words TSVECTOR NOT NULL,
    -- 32-bit floats, little endian; at length 1.
    vector BYTEA,
    UNIQUE (document_id, position)
);

-- The signs of all vectors of a document, one after the other, each in whole 64-bit words: what the search by meaning walks
-- over, before it reads the vectors of the few that are near. There is a row once all passages have a vector of `model`.
CREATE TABLE document_signs (
    document_id TEXT NOT NULL PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    model TEXT NOT NULL,
    dimensions BIGINT NOT NULL,
    signs BYTEA NOT NULL
);

-- Words by their stems, with those of the heading and of the document's title. Punctuation is cut out first, as in the search
-- of messages.
CREATE FUNCTION passage_words (source TEXT, heading TEXT, content TEXT) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT to_tsvector('pg_catalog.english', translate(
        concat_ws(' ', source::jsonb ->> 'title', heading, content), '.,:;/\@-_+=''"!?&|()<>*#%', repeat(' ', 24)
    ))
$$;
CREATE FUNCTION passages_are_searched() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    SELECT passage_words(source, NEW.heading, NEW.content) INTO NEW.words FROM documents WHERE id = NEW.document_id;
    -- Without its document it has no words, and is refused for that below.
    NEW.words := COALESCE(NEW.words, '');
    RETURN NEW;
END
$$;
CREATE TRIGGER passages_are_searched BEFORE INSERT ON passages FOR EACH ROW EXECUTE FUNCTION passages_are_searched();
CREATE FUNCTION documents_are_searched_anew() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE passages SET words = passage_words(NEW.source, heading, content) WHERE document_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER documents_are_searched_anew AFTER UPDATE OF source ON documents
    FOR EACH ROW WHEN (OLD.source <> NEW.source) EXECUTE FUNCTION documents_are_searched_anew();

CREATE INDEX passages_by_words ON passages USING gin (words);
