"""Writes valid files for the fuzz targets to start from, into the folder `corpus`. Needs nothing but Python."""

import gzip
import json
import pathlib
import struct
import zlib

here = pathlib.Path(__file__).resolve().parent
recorded = here.parent / "crates/data/tests/recorded/npy"


def write(target, name, contents):
    folder = here / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(contents)


def png(width, height, depth, colour, row):
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


# JPEG files of 8 × 8 grey and 17 × 9 coloured pixels, as the crate image writes them.
grey_jpeg = bytes.fromhex(
    "ffd8ffe000104a46494600010200000100010000ffc0000b080008000801011100ffdb004300140e0f120f0d14121012171514181e32211e"
    "1c1c1e3d2c2e243249404c4b47404645505a736250556d5645466488656d777b8182814e608d978c7d96737e817cffc4001f000001050101"
    "0101010100000000000000000102030405060708090a0bffc400b5100002010303020403050504040000017d010203000411051221314106"
    "13516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445464748494a535455"
    "565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9ba"
    "c2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffda0008010100003f00e7f4dd3bed78e339"
    "afffd9"
)
rgb_jpeg = bytes.fromhex(
    "ffd8ffe000104a46494600010200000100010000ffc00011080009001103011100021101031101ffdb004300140e0f120f0d141210121715"
    "14181e32211e1c1c1e3d2c2e243249404c4b47404645505a736250556d5645466488656d777b8182814e608d978c7d96737e817cffdb0043"
    "011517171e1a1e3b21213b7c5346537c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c"
    "7c7c7c7c7c7c7c7c7cffc4001f0000010501010101010100000000000000000102030405060708090a0bffc400b510000201030302040305"
    "0504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a2526272829"
    "2a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a9293949596979899"
    "9aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9"
    "faffc4001f0100030101010101010101010000000000000102030405060708090a0bffc400b5110002010204040304070504040001027700"
    "0102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a3536373839"
    "3a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6"
    "a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9faffda000c030100"
    "02110311003f00c7874dff0066b8fdadcca9620bd0e99fecd4f35cf529624b3fd97fecd23b3eb249076ae747c6d23420ad51e9d22cd59d67"
    "ffd9"
)

idx = bytes([0, 0, 0x0B, 2, 0, 0, 0, 3, 0, 0, 0, 4, *range(24)])
write("idx", "plain", idx)
write("idx", "packed", gzip.compress(idx, mtime=0))
write("idx", "doubles", bytes([0, 0, 0x0E, 1, 0, 0, 0, 1, *range(8)]))
for file in recorded.iterdir():
    write(file.suffix[1:], file.name, file.read_bytes())
write("cifar10", "two", bytes([3] * 3073 + [9] * 3073))
write("csv", "table", b'a,b,c\n1.5,2,true\n"x ""y""",-3,0\n')
write("csv", "mark", b"\xef\xbb\xbfn\r\n1\r\n2\r\n")
write("image", "rgb.png", png(3, 2, 8, 2, range(9)))
write("image", "grey16.png", png(2, 2, 16, 0, range(4)))
write("image", "bits.png", png(9, 2, 1, 0, [0xAA, 0x80]))
write("image", "grey.jpg", grey_jpeg)
write("image", "rgb.jpg", rgb_jpeg)
state = {"order": [3, 1, 2, 0], "ends": [2, 4], "position": 2, "base_seed": 5, "generator": None, "sampler": None}
write("loader_state", "batches", json.dumps(state).encode())
write("loader_state", "samples", json.dumps({**state, "ends": None}).encode())
