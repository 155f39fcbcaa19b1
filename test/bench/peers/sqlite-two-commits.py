# What the official node does for each log entry, key-value or not: two cursors are moved by two
# updates that SQLite commits by themselves, in its default journal mode. Folder, seconds.
import json
import os
import sqlite3
import sys
import time

folder, seconds = sys.argv[1], float(sys.argv[2])
os.makedirs(folder, exist_ok=True)
db = sqlite3.connect(os.path.join(folder, "cursors.db"), isolation_level=None)
db.execute("CREATE TABLE misc (id INTEGER PRIMARY KEY, data_progress INTEGER, replay_progress INTEGER)")
db.execute("INSERT INTO misc VALUES (0, 0, 0)")
started = time.monotonic()
entries = 0
while time.monotonic() - started < seconds:
    db.execute("UPDATE misc SET data_progress = ? WHERE id = 0", (entries,))
    db.execute("UPDATE misc SET replay_progress = ? WHERE id = 0", (entries,))
    entries += 1
print(json.dumps({"entries": entries, "wallSeconds": time.monotonic() - started}))
