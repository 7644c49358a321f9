-- Words of titles and messages, found by their beginnings. Punctuation is cut out first, since PostgreSQL would take addresses
-- and numbers with points for one word. A tsvector has a limit of 1 MB: of longer texts the beginning is searched.

CREATE FUNCTION words_of (content TEXT) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURNS NULL ON NULL INPUT AS $$
    SELECT to_tsvector('pg_catalog.simple', translate(left(content, 250000), '.,:;/\@-_+=''"!?&|()<>*#%', repeat(' ', 24)))
$$;
CREATE INDEX messages_by_words ON messages USING gin (words_of(content));
