SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION';
CREATE TABLE choices (id INT PRIMARY KEY, e ENUM('a','b''c','d,e','日本','') , s SET('x','y','z','w w'), en ENUM('p','q') NOT NULL DEFAULT 'q', sn SET('1','2','3') NOT NULL DEFAULT '1,3', el ENUM('ä','ö') CHARACTER SET latin1);
