-- uuid, and keys of that type
INSERT INTO things VALUES ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{a0eebc999c0b4ef8bb6d6bb9bd380a12}'), ('00000000-0000-0000-0000-000000000000', NULL);
UPDATE things SET other = 'ffffffff-ffff-ffff-ffff-ffffffffffff' WHERE other IS NULL;
DELETE FROM things WHERE other = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12';
