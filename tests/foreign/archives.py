"""What `athena` wrote, read by a SQL parser that knows Hive's and Trino's words.

Usage: archives.py statements SQL | write DIRECTORY | same ARCHIVE PLAIN
"""

import base64
import decimal
import glob
import gzip
import json
import os
import sys

import sqlglot
from sqlglot import exp


def statements(path):
    text = open(path).read()
    # Athena's DDL is Hive's, its queries are Trino's.
    parts = sqlglot.transpile(text, read="hive", pretty=False, unsupported_level=sqlglot.ErrorLevel.IGNORE)
    assert len(parts) == 3, parts
    create, partition, query = (part.strip() for part in text.split(";\n")[:3])
    table = sqlglot.parse_one(create, read="athena")
    assert isinstance(table, exp.Create), table
    columns = list(table.this.find_all(exp.ColumnDef))
    assert columns, create
    structs = [kind for kind in table.find_all(exp.DataType) if kind.this == exp.DataType.Type.STRUCT]
    assert structs, create
    location = table.find(exp.LocationProperty)
    assert location and location.name.startswith("s3://"), create
    altered = sqlglot.parse_one(partition, read="hive")
    assert isinstance(altered, exp.Alter), (partition, altered)
    select = sqlglot.parse_one(query, read="trino")
    assert isinstance(select, exp.Select) and select.args["limit"], query
    assert select.find(exp.Table).name == table.find(exp.Table).name, (query, create)
    # What is selected is what the columns have.
    names = {identifier.name.lower() for identifier in table.find_all(exp.Identifier)}
    for column in select.find_all(exp.Column, exp.Dot):
        for part in column.find_all(exp.Identifier):
            assert part.name in names, (part.name, create)


def write(directory):
    """An archive of items whose names are hard to write as columns."""
    names = ["url", "Url", "URL", "a.b", "a_b", "größe", "order", "select", "with space", "tick`s", "1st", "s"]
    item = {name: {"S": "x"} for name in names}
    item["nested"] = {"M": {"Date": {"N": "1.5"}, "date": {"L": [{"M": {"x.y": {"NS": ["1"]}}}]}}}
    export = "01768385930622-efd1a093"
    folder = f"{directory}/AWSDynamoDB/{export}"
    os.makedirs(f"{folder}/data")
    with gzip.open(f"{folder}/data/a.json.gz", "wt") as file:
        file.write(json.dumps({"Item": item}) + "\n")
    table = "arn:aws:dynamodb:eu-north-1:123456789123:table/Hard.Names-1"
    summary = {
        "version": "2020-06-30", "exportArn": f"{table}/export/{export}", "tableArn": table,
        "exportTime": "2026-01-14T10:18:50.622Z", "s3Bucket": "landing", "s3Prefix": None,
        "manifestFilesS3Key": f"AWSDynamoDB/{export}/manifest-files.json", "itemCount": 1,
        "outputFormat": "DYNAMODB_JSON",
    }
    entry = {"itemCount": 1, "md5Checksum": "", "etag": "x", "dataFileS3Key": f"AWSDynamoDB/{export}/data/a.json.gz"}
    for name, content in (("summary", summary), ("files", entry)):
        with open(f"{folder}/manifest-{name}.json", "w") as file:
            file.write(json.dumps(content) + "\n")


def same(archive, plain):
    """The items of Ion files, by Amazon's reader for Python, are those of the plain JSON lines."""
    from amazon.ion import simpleion
    from amazon.ion.core import IonType

    decimal.getcontext().prec = 200

    def value(read):
        if getattr(read, "ion_type", None) is IonType.NULL or read is None:
            return None
        if isinstance(read, bytes):
            return base64.b64encode(read).decode()
        if isinstance(read, (bool, str)):
            return read
        if isinstance(read, (int, decimal.Decimal)):
            return decimal.Decimal(read)
        if hasattr(read, "items"):
            return {name: value(member) for name, member in read.items()}
        return [value(member) for member in read]

    def plain_value(read, like):
        """A number that a double cannot hold is a string there."""
        if isinstance(like, decimal.Decimal):
            return decimal.Decimal(read)
        if isinstance(like, dict):
            return {name: plain_value(member, like.get(name)) for name, member in read.items()}
        if isinstance(like, list):
            return [plain_value(*both) for both in zip(read, like, strict=True)]
        return read

    items = 0
    for path in sorted(glob.glob(f"{archive}/**/data/*.ion.gz", recursive=True)):
        name = os.path.basename(path).removesuffix(".ion.gz")
        [other] = glob.glob(f"{plain}/*/{name}.jsonl")
        with gzip.open(path, "rt") as lines, open(other) as plain_lines:
            for line, plain_line in zip(lines, plain_lines, strict=True):
                read = value(simpleion.loads(line))
                if "Record" in read:
                    record = read["Record"]
                    record |= record.pop("Metadata")
                    read = record
                else:
                    read = read["Item"]
                found = json.loads(plain_line, parse_float=decimal.Decimal, parse_int=decimal.Decimal)
                assert plain_value(found, read) == read, (line, plain_line)
                items += 1
    assert items > 0, archive


if __name__ == "__main__":
    {"statements": statements, "write": write, "same": same}[sys.argv[1]](*sys.argv[2:])
