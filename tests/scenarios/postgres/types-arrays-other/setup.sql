CREATE TABLE arrays (id INT PRIMARY KEY, by BYTEA[], iv INTERVAL[], m MONEY[], bi BIT(3)[], x XML[], p POINT[]);
