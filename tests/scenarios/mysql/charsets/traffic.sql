-- Columns of many character sets
INSERT INTO sets VALUES (1, 'ü日', 'ü日😀', 'Äß€', 'Łódź', 'ğİş', 'Žluť', 'Привет', 'Мир', 'Ωμέγα', 'שלום', 'ü日😀', 'ü日😀', 'ü日', 'テスト', '日本', '中文', '中文', '한국');
INSERT INTO sets (id) VALUES (2);
INSERT INTO sets VALUES (3, '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '');
UPDATE sets SET u16 = '𝄞', gb = '繁體' WHERE id = 1;
DELETE FROM sets WHERE id = 1;
INSERT INTO long_texts VALUES (1, REPEAT('Слово ', 500), '中', 'ю');
