-- vector, halfvec and sparsevec
INSERT INTO embeddings VALUES (1, '[1,2.5,-3]', '[0.5,1]', '{1:1.5,3:2}/5', '[1]', 'a'), (2, '[0,0,0]', '[65504,-65504]', '{}/5', '[1e-30,3.4e38]', 'b');
INSERT INTO embeddings (id) VALUES (3);
UPDATE embeddings SET n = 'c' WHERE id = 1;
