-- Types dropped and made anew, and used by a new column
INSERT INTO people VALUES (1, 'sad');
-- wait: people 1
ALTER TABLE people DROP COLUMN m;
DROP TYPE mood;
CREATE TYPE mood AS ENUM ('new', 'ok');
CREATE DOMAIN level AS INT;
ALTER TABLE people ADD COLUMN m mood, ADD COLUMN l level;
INSERT INTO people VALUES (2, 'new', 5);
