CREATE DOMAIN positive AS INT CHECK (VALUE > 0);
CREATE DOMAIN small_positive AS positive CHECK (VALUE < 100);
CREATE DOMAIN amount AS NUMERIC(8,3) DEFAULT 1.5;
CREATE DOMAIN code AS VARCHAR(4) NOT NULL DEFAULT 'none';
CREATE DOMAIN flag_bits AS BIT(3);
CREATE DOMAIN moment AS TIMESTAMP(3);
CREATE DOMAIN doc AS JSONB;
CREATE DOMAIN ids AS INT[];
CREATE TABLE domains (id positive PRIMARY KEY, s small_positive, a amount, c code, b flag_bits, m moment, d doc, l ids, od NUMERIC(8,3) DEFAULT 2.5);
