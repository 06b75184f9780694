CREATE TABLE boxes (id INT PRIMARY KEY, w INT, h INT, area INT GENERATED ALWAYS AS (w * h) STORED, label TEXT GENERATED ALWAYS AS ('box ' || id::text) STORED, note TEXT);
CREATE TABLE finish_line (id INT);
ALTER TABLE boxes ADD COLUMN virtual_area INT GENERATED ALWAYS AS (w + h) VIRTUAL;
CREATE PUBLICATION ${DATABASE}_pub FOR ALL TABLES WITH (publish_generated_columns = stored);
