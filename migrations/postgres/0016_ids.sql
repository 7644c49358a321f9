-- Ids are compared by their bytes. Some columns were made without saying so, and an index in another order than that of the
-- ids it is joined to is no help: what a message has with it was found by reading all there was of its kind.

ALTER TABLE attachments ALTER id TYPE TEXT COLLATE "C", ALTER message_id TYPE TEXT COLLATE "C";
ALTER TABLE attachment_excerpts ALTER attachment_id TYPE TEXT COLLATE "C";
ALTER TABLE stray_files ALTER id TYPE TEXT COLLATE "C";
-- The view stands on what changes.
DROP VIEW shelved_documents;
ALTER TABLE documents ALTER id TYPE TEXT COLLATE "C", ALTER user_id TYPE TEXT COLLATE "C";
ALTER TABLE document_signs ALTER document_id TYPE TEXT COLLATE "C";
ALTER TABLE passages ALTER id TYPE TEXT COLLATE "C", ALTER document_id TYPE TEXT COLLATE "C";
ALTER TABLE shelves ALTER user_id TYPE TEXT COLLATE "C";
CREATE VIEW shelved_documents (id, shelf) AS
SELECT documents.id, CASE WHEN documents.shared THEN 0 ELSE shelves.number END
FROM documents JOIN shelves ON shelves.user_id = documents.user_id;
ALTER TABLE citations ALTER id TYPE TEXT COLLATE "C", ALTER message_id TYPE TEXT COLLATE "C",
    ALTER source_id TYPE TEXT COLLATE "C", ALTER passage_id TYPE TEXT COLLATE "C";
ALTER TABLE acts ALTER message_id TYPE TEXT COLLATE "C";
ALTER TABLE agreements ALTER session_id TYPE TEXT COLLATE "C";
