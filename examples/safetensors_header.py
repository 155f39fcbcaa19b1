"""Prints the tensors of a stored safetensors file after reading its header only, by HTTP Range.

    python3 examples/safetensors_header.py http://127.0.0.1:12345/v1/files/0x<root>
"""
import json
import sys
import urllib.request


def read(url, first, last):
    request = urllib.request.Request(url, headers={"Range": f"bytes={first}-{last}"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return reply.read()


url = sys.argv[1]
head = read(url, 0, 65535)  # eight bytes of length, little endian, and most headers whole
size = int.from_bytes(head[:8], "little")
if len(head) < 8 + size:
    head += read(url, len(head), 7 + size)
for name, tensor in sorted(json.loads(head[8 : 8 + size]).items()):
    if name != "__metadata__":
        print(f"{name:40} {tensor['dtype']:6} {tensor['shape']}")
