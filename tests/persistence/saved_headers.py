"""Reading and changing the header of a saved model, as a stranger could."""

import json

from safetensors import SafetensorError, safe_open

from glassclf.persistence.saving import sign


def read_parts(path):
    """Header and arrays of a safetensors file, as bytes."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return data[8 : 8 + length], data[8 + length :]


def write_parts(path, header, arrays):
    path.write_bytes(len(header).to_bytes(8, "little") + header + arrays)


def sign_again(path):
    """Give a changed file the checksum of what it now holds, as a stranger would."""
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, TypeError, ValueError):
        return
    if "checksum" in metadata:
        header, arrays = read_parts(path)
        header = {**json.loads(header), "__metadata__": sign(metadata, tensors)}
        write_parts(path, json.dumps(header).encode(), arrays)


def replace_in_header(path, old, new):
    header, arrays = read_parts(path)
    assert old.encode() in header
    write_parts(path, header.replace(old.encode(), new.encode()), arrays)
    sign_again(path)


def read_metadata(path):
    """Metadata of the file, with the JSON in them read as well."""
    metadata = json.loads(read_parts(path)[0])["__metadata__"]
    return {
        name: json.loads(text) if name in ("model", "steps", "versions") else text
        for name, text in metadata.items()
    }


def write_metadata(path, metadata, signed=True):
    header, arrays = read_parts(path)
    texts = {
        name: content if isinstance(content, str) else json.dumps(content)
        for name, content in metadata.items()
    }
    header = json.dumps({**json.loads(header), "__metadata__": texts}).encode()
    write_parts(path, header, arrays)
    if signed:
        sign_again(path)
