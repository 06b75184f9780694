-- column.truncate.to.n.chars: shorter, longer, several bytes a character
INSERT INTO people VALUES (1, 'truncate me', 'a longer note', 'ÄÖÜäöü'), (2, NULL, NULL, NULL), (3, 'abc', '', 'ab'), (4, '日本語テキスト', '😀😀😀😀', 'x');
UPDATE people SET name = 'tru😀xyz' WHERE id = 3;
DELETE FROM people WHERE id = 1;
